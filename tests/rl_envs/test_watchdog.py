"""A worker that hangs ends, as nothing else could end it; who is nobody's worker is left alone."""

import subprocess
import sys

CODE = """
import time
from rl_envs import watchdog
from tests.rl_envs.tiny import tuner
watchdog.GRACE_SECONDS = 1.0
made = tuner(1, step_timeout_s=1.0)

def hang(seconds):
    made.population.METHOD = lambda *_: time.sleep(seconds)  # in one call, between two looks at the clock
    print(made.step({}).reason, flush=True)

hang(2.5)  # in a process that nobody would start again
watchdog.Watchdog.allow()
hang(0.5)
hang(3600)
"""


def ended(method: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "ignore", "-c", CODE.replace("METHOD", method)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240)


def test_a_worker_that_hangs_ends_and_says_where() -> None:
    done = ended("advance")
    assert done.returncode == 1
    late, in_time = done.stdout.splitlines()
    assert "timeout" in late
    assert "error" in in_time  # what came back is nothing that a population returns
    assert "Timeout" in done.stderr
    assert "tuner.py" in done.stderr


def test_measuring_is_watched_too() -> None:
    done = ended("evaluate")
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 2)
    assert "_measure" in done.stderr

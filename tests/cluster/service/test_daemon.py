"""How processes of the service end."""

import sys
import time
from pathlib import Path

import psutil

from cluster.service.daemon import STOP_SECONDS, DaemonProcess, end, start

# Starts a child that takes no hint, says its number, and waits.
LEADER = """
import signal, subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
made = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE)
made.stdout.readline()
print(made.pid, flush=True)
time.sleep(600)
"""
# Starts a child in a session of its own, and ends when it is asked.
STARTER = """
import subprocess, sys, time
made = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(made.pid, flush=True)
time.sleep(600)
"""
# Takes a while to end, and says that it has.
ORDERLY = """
import signal, time
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
print("ready", flush=True)
while not ended:
    time.sleep(0.01)
time.sleep(1)
print("in order", flush=True)
"""


def said(log: Path) -> str:
    """What a process says first."""
    while not (text := log.read_text()).endswith("\n"):
        time.sleep(0.05)
    return text.strip()


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def started(code: str, log: Path) -> DaemonProcess:
    return start([sys.executable, "-c", code], {}, log)


def test_what_a_dead_process_left_behind_is_not_waited_for(tmp_path: Path) -> None:
    leader = started(LEADER, tmp_path / "log")
    child = psutil.Process(int(said(tmp_path / "log")))
    psutil.Process(leader.pid).kill()
    while leader.lives:
        time.sleep(0.05)
    began = time.monotonic()
    end([leader])
    assert time.monotonic() - began < STOP_SECONDS / 2
    assert not runs(child)


def test_processes_of_whoever_has_the_number_by_now_are_left_alone(tmp_path: Path) -> None:
    stranger = started(LEADER, tmp_path / "log")
    child = psutil.Process(int(said(tmp_path / "log")))
    for earlier in (stranger._replace(began=stranger.began - 60), stranger._replace(boot="the one before")):
        assert not earlier.lives
        assert earlier.session() == []
        end([earlier])
        assert runs(child)
    assert [each.pid for each in stranger.session()] == [child.pid]
    child.kill()
    end([stranger])


def test_what_has_a_session_of_its_own_goes_on(tmp_path: Path) -> None:
    """So a supervisor can be ended before what it started again."""
    starter = started(STARTER, tmp_path / "log")
    child = psutil.Process(int(said(tmp_path / "log")))
    began = time.monotonic()
    end([starter])
    assert time.monotonic() - began < STOP_SECONDS / 2
    assert not starter.lives
    assert runs(child)
    child.kill()


def test_a_living_process_ends_in_order(tmp_path: Path) -> None:
    process = started(ORDERLY, tmp_path / "log")
    said(tmp_path / "log")
    end([process])
    assert not process.lives
    assert (tmp_path / "log").read_text().endswith("in order\n")

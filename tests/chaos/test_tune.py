"""Faults of `qsynth tune` on one machine."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.chaos.bounds import REPEATED, recovery_seconds
from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.tuned_run import TunedRun

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]


def checked(run: TunedRun, undisturbed: TunedRun, row: Row, table: FaultTable) -> None:
    """Add what came of a run that reached its end, and check it against the promises."""
    found = run.records()
    same = run.outcome() == undisturbed.outcome()
    observed = f"{row.observed}; rows and result {'as' if same else 'NOT as'} undisturbed"
    values = {"repeated": found.repeated, "lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
    table.add(Row(**vars(row) | {"observed": observed} | values))
    assert same
    assert (found.lost, found.duplicates, found.orphans) == (0, 0, 0)
    assert found.repeated <= REPEATED


@pytest.mark.parametrize("which", ["one of two populations", "all populations"])
def test_populations_are_killed(tmp_path: Path, undisturbed: TunedRun, table: FaultTable, which: str) -> None:
    one_of_two = which.startswith("one")
    run = TunedRun(tmp_path, n_runners=2 if one_of_two else 1, trials=240 if one_of_two else 120)
    run.start()
    run.trains(beyond=60)
    populations = run.populations()
    assert populations
    for each in populations[:1] if one_of_two else populations:
        each.kill()
    before = run.steps()
    seconds = run.trains(beyond=before + 24)
    run.ends(0)
    row = Row(fault=f"SIGKILL of {which}", when="training", expected="goes on", observed="went on", seconds=seconds)
    if one_of_two:  # another study: other budgets, so only the records are compared
        found = run.records()
        values = {"repeated": found.repeated, "lost": found.lost, "duplicates": found.duplicates}
        table.add(Row(**vars(row) | values | {"orphans": found.orphans}))
        assert (found.lost, found.duplicates, found.orphans) == (0, 0, 0)
    else:
        checked(run, undisturbed, row, table)
    assert seconds < recovery_seconds()


def test_populations_are_killed_again_and_again(tmp_path: Path, table: FaultTable) -> None:
    run = TunedRun(tmp_path, trials=20_000, patience=3.0)
    run.start()
    run.trains(beyond=60)
    began = time.monotonic()
    while psutil.pid_exists(run.process.pid) and run.process.status() != psutil.STATUS_ZOMBIE:
        for each in run.populations():
            each.kill()
        assert time.monotonic() - began < 300
        time.sleep(0.2)
    run.ends(2)
    assert "3 iterations in a row brought nothing" in run.said
    assert "--resume" in run.said
    assert list(run.path.glob("checkpoints/checkpoint-*"))
    found = run.records()
    values = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
    table.add(
        Row(
            fault="SIGKILL of all populations, for ever",
            when="training",
            expected="FAILED with reason and checkpoint",
            observed="ended with both",
            **values,
        )
    )
    assert "FAILED" in found.states
    assert (found.lost, found.duplicates, found.orphans) == (0, 0, 0)


@pytest.mark.parametrize("when", ["training", "comparison", "report"])
def test_the_driver_is_killed(tmp_path: Path, undisturbed: TunedRun, table: FaultTable, when: str) -> None:
    run = TunedRun(tmp_path)
    run.start()
    if when == "training":
        run.saved()
        run.trains(beyond=run.steps() + 24)
    elif when == "comparison":
        run.compares()
    else:
        run.wait(lambda: list(run.out.glob("*/plots/*.png")))
    run.kill_driver()
    began, before = time.monotonic(), len(run.journal())
    run.start("--resume")
    run.wait(lambda: len(run.journal()) > before + 2000)
    seconds = time.monotonic() - began
    run.ends(0)
    row = Row(fault="SIGKILL of the driver", when=when, expected="a resume goes on", observed="it did", seconds=seconds)
    checked(run, undisturbed, row, table)


@pytest.mark.parametrize(("signum", "code", "times"), [(2, 130, 1), (15, 143, 1), (2, 130, 2)])
def test_signals(tmp_path: Path, undisturbed: TunedRun, table: FaultTable, signum: int, code: int, times: int) -> None:
    run = TunedRun(tmp_path)
    run.start()
    run.saved()
    run.signal(signum)
    if times == 2:
        time.sleep(0.2)
        run.signal(signum)
    took = run.ends(code)
    assert "the last checkpoint is" in run.said
    assert "--resume" in run.said
    stopped = run.records()
    assert set(stopped.states) <= {"KILLED"}
    run.start("--resume")
    run.ends(0)
    name = signal.Signals(signum).name + (" twice" if times == 2 else "")
    row = Row(
        fault=name,
        when="training",
        expected=f"KILLED, exit {code}, a resume goes on",
        observed=f"KILLED, exit {code} after {took:.0f} s, it did",
    )
    checked(run, undisturbed, row, table)
    assert took < recovery_seconds()

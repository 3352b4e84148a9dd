"""The clock is set while a study runs: an hour back, then to an hour ahead."""

import shutil
import sqlite3
import struct
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.bounds import recovery_seconds
from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.tuned_run import TunedRun

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]
HOUR = 3600


@pytest.mark.skipif(shutil.which("gcc") is None, reason="a clock is set by a library that gcc makes")
def test_the_clock_is_set(tmp_path: Path, undisturbed: TunedRun, table: FaultTable) -> None:
    """Python's clock in the driver, in Ray's processes and in the populations."""
    library, ahead = tmp_path / "clock.so", tmp_path / "ahead"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    ahead.write_bytes(struct.pack("<q", 0))

    def set_clock(seconds: int) -> None:
        with ahead.open("r+b") as file:
            file.write(struct.pack("<q", seconds))

    run = TunedRun(tmp_path, environment={"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(ahead)})
    run.start()
    run.trains(beyond=60)
    waits = []
    for seconds in (-HOUR, HOUR):
        before = run.steps()
        set_clock(seconds)
        waits.append(run.trains(beyond=before + 24))
    run.ends(0)
    found = run.records()
    counts = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
    with closing(sqlite3.connect(run.out / "mlflow.db")) as store:
        times = store.execute("select start_time, end_time from runs").fetchall()
        taken = store.execute("select value from metrics where key = 'training/seconds'").fetchall()
    same = run.outcome() == undisturbed.outcome()
    table.add(
        Row(
            fault="the clock is set: an hour back, then an hour ahead",
            when="training",
            expected="nothing; no negative durations",
            observed=f"none; rows and result {'as' if same else 'NOT as'} undisturbed",
            seconds=max(waits),
            repeated=found.repeated,
            **counts,
        )
    )
    assert same
    assert set(counts.values()) == {0}
    assert all(began <= ended for began, ended in times)
    # The study and its agent's training began before the clock was an hour ahead, the trials shown at the end did not.
    assert sum(ended - began > HOUR * 1000 for began, ended in times) == 2
    assert all(0 < seconds < HOUR / 2 for (seconds,) in taken)
    assert max(waits) < recovery_seconds()

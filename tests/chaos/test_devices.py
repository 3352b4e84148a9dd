"""Faults of what circuits run on: a device that hangs, takes all memory, or finds what is no number."""

import json
import math
import signal
from pathlib import Path

import psutil
import pytest

from tests.chaos import faulty_device
from tests.chaos.bounds import recovery_seconds
from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.tuned_run import STEP_SECONDS, TunedRun

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]
HANG_SECONDS = 2 * STEP_SECONDS  # after which a worker counts as hung
MAX_EMPTY = 3  # iterations without anything sampled, before a training ends


class DeviceRun(TunedRun):
    """A run on the faulty device."""

    def __init__(self, folder: Path, trials: int = 60, patience: float = 300.0, **environment: str) -> None:
        variables = faulty_device.install(folder) | environment
        super().__init__(folder, trials=trials, patience=patience, device=faulty_device.NAME, environment=variables)
        self._faults = Path(variables[faulty_device.FOLDER])

    def have(self, fault: str) -> Path:
        """Ask for a fault; the file that asks for it."""
        file = self._faults / fault
        file.touch()
        return file

    def taken(self, file: Path) -> None:
        """Wait until a fault that is there once has come."""
        self.wait(lambda: not file.exists())

    def row(self, table: FaultTable, **values: object) -> None:
        """Add what became of the records, and check it."""
        found = self.records()
        counts = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
        # Of a run that has ended early, iterations that sampled nothing would count as repeated.
        repeated = found.repeated if set(found.states) == {"FINISHED"} else None
        table.add(Row(**values | {"repeated": repeated} | counts))  # type: ignore[arg-type]
        assert set(counts.values()) == {0}

    def failures(self) -> float:
        """Trials that failed in the agent's training, which counts them from its beginning on."""
        lines = [json.loads(line) for line in self.journal().splitlines()]
        values = [line["body"]["metrics"] for line in lines if line["kind"] == "metrics"]
        assert all(math.isfinite(value) for metrics in values for value in metrics.values())
        return max(metrics.get("training/failures", 0.0) for metrics in values)


@pytest.mark.parametrize("when", ["training", "comparison"])
def test_a_device_hangs_once(tmp_path: Path, table: FaultTable, when: str) -> None:
    run = DeviceRun(tmp_path)
    run.start()
    run.trains() if when == "training" else run.compares()
    run.taken(run.have("hang-once"))
    before, size = run.steps(), len(run.journal())
    seconds = run.trains(before + 24) if when == "training" else run.wait(lambda: len(run.journal()) > size)
    run.ends(0)
    about = {"when": when, "expected": "its process ends, the study goes on", "observed": "it did"}
    run.row(table, fault=f"a device hangs once (limit {STEP_SECONDS:.0f} s)", **about, seconds=seconds)
    if when == "training":
        assert seconds < HANG_SECONDS + recovery_seconds()


def test_a_device_hangs_for_ever(tmp_path: Path, table: FaultTable) -> None:
    run = DeviceRun(tmp_path, patience=3.0)
    run.start()
    run.trains()
    run.have("hang")
    seconds = run.ends(2)
    assert "iterations in a row brought nothing" in run.said
    assert "--resume" in run.said
    assert list(run.path.glob("checkpoints/checkpoint-*"))
    about = {"when": "training", "expected": "FAILED with reason and checkpoint", "observed": "ended with both"}
    run.row(table, fault=f"a device hangs for ever (limit {STEP_SECONDS:.0f} s)", **about, seconds=seconds)
    assert "FAILED" in run.records().states
    assert seconds < MAX_EMPTY * (HANG_SECONDS + recovery_seconds())


def test_a_signal_comes_while_a_device_hangs(tmp_path: Path, table: FaultTable) -> None:
    run = DeviceRun(tmp_path)
    run.start()
    run.trains()
    run.taken(run.have("hang-once"))
    run.signal(signal.SIGTERM)
    seconds = run.ends(143)
    assert "--resume" in run.said
    expected = {
        "when": "training",
        "expected": "KILLED, exit 143",
        "observed": f"KILLED, exit 143 after {seconds:.0f} s",
    }
    run.row(table, fault=f"SIGTERM while a device hangs (limit {STEP_SECONDS:.0f} s)", **expected)
    assert set(run.records().states) == {"KILLED"}
    assert seconds < HANG_SECONDS + recovery_seconds()


def test_a_population_takes_all_memory(tmp_path: Path, table: FaultTable) -> None:
    memory = psutil.virtual_memory()
    # Ray kills populations as soon as so much of the machine's memory is used: what there is now, and a part of what
    # the device takes. The rest is room for what this machine does beside it.
    room = faulty_device.MOST_BLOCKS * faulty_device.BLOCK * 3 // 4
    if memory.available < 2 * room:
        pytest.skip("there is too little memory to waste some")
    threshold = 1 - (memory.available - room) / memory.total
    run = DeviceRun(tmp_path, RAY_memory_usage_threshold=f"{threshold:.4f}")
    run.start()
    run.trains()
    [population] = run.populations()
    run.taken(run.have("memory-once"))
    seconds = run.wait(lambda: not population.is_running())
    before = run.steps()
    seconds = run.trains(before + 24)
    run.ends(0)
    about = {"when": "training", "expected": "its process is killed, the study goes on", "observed": "it did"}
    run.row(table, fault="a population takes all memory", **about, seconds=seconds)
    assert seconds < recovery_seconds()


def test_a_device_finds_what_is_no_number(tmp_path: Path, table: FaultTable) -> None:
    run = DeviceRun(tmp_path, trials=100)
    run.start()
    run.trains()
    asked = run.have("nan")
    run.trains(run.steps() + 30)
    asked.unlink()
    run.ends(0)
    failures = run.failures()
    assert failures > 0
    about = {"when": "training", "expected": "lanes end as diverged, the study goes on"}
    run.row(table, fault="a device finds NaN", **about, observed=f"{failures:.0f} trials ended, it did")

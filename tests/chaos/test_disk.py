"""A run's folder that can't be written any more while the study runs."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.tuned_run import TunedRun

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="root mounts a small disk, and makes folders that root can't write"),
]
MIB = 1 << 20
DISK_MIB = 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Where the run is to be."""
    place = tmp_path / "runs"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def filled(disk: Path) -> Path:
    """A file that leaves no room."""
    ballast = disk / "ballast"

    def write(blocks: Iterable[int]) -> None:
        with ballast.open("ab", buffering=0) as file:
            for size in blocks:
                file.write(b"x" * size)

    for size in (MIB, 1):
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            write(repeat(size))
    return ballast


def stopped_and_resumed(run: TunedRun, undisturbed: TunedRun, table: FaultTable, fault: str) -> None:
    """Check what became of a run whose folder can be written again."""
    run.start("--resume")
    run.ends(0)
    found = run.records()
    counts = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
    same = run.outcome() == undisturbed.outcome()
    table.add(
        Row(
            fault=fault,
            when="training",
            expected="one line with the folder and the command, a resume goes on",
            observed=f"it did; rows and result {'as' if same else 'NOT as'} undisturbed",
            repeated=found.repeated,
            **counts,
        )
    )
    assert same
    assert set(counts.values()) == {0}


def test_the_disk_is_full(tmp_path: Path, small_disk: Path, undisturbed: TunedRun, table: FaultTable) -> None:
    run = TunedRun(tmp_path)
    run.start()
    run.saved()
    ballast = filled(small_disk)
    run.ends(2)
    assert "disk of" in run.said or "No space left" in run.said
    assert "--resume" in run.said
    assert "Traceback" not in run.said
    ballast.unlink()
    stopped_and_resumed(run, undisturbed, table, "the disk is full")


@pytest.mark.skipif(shutil.which("chattr") is None, reason="chattr makes folders that root can't write")
def test_the_folder_cannot_be_written(tmp_path: Path, undisturbed: TunedRun, table: FaultTable) -> None:
    run = TunedRun(tmp_path)
    run.start()
    run.saved()
    folders = [run.path, *(path for path in run.path.rglob("*") if path.is_dir())]
    changed = subprocess.run(["chattr", "+i", *folders], capture_output=True, check=False).returncode == 0
    try:
        if not changed:
            run.signal(9)
            pytest.skip("this file system has no folders that root can't write")
        run.ends(2)
    finally:
        subprocess.run(["chattr", "-R", "-i", run.path], capture_output=True, check=False)
    assert f"{run.path} must be writable" in run.said.replace("\n", " ") or "must be writable" in run.said
    assert "--resume" in run.said
    assert "Traceback" not in run.said
    stopped_and_resumed(run, undisturbed, table, "the run's folder can't be written")

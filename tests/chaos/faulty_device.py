"""A PennyLane device that has the faults which somebody asks for while it runs."""

import math
import os
import time
from pathlib import Path
from typing import Any

from pennylane.devices import DefaultQubit

from rl_envs import watchdog

NAME = "faulty.qubit"
FOLDER = "FAULTS"  # the variable with the folder in which faults are asked for
BLOCK, MOST_BLOCKS = 1 << 28, 24  # bytes of memory at a time, and how many at most
watchdog.GRACE_SECONDS = 5.0  # less patience than a user's, in each process that has such a device


class FaultyQubit(DefaultQubit):  # type: ignore[misc]
    """``default.qubit``, until there is a file in the folder: ``hang``, ``memory`` or ``nan``; one whose name ends in
    ``-once`` is taken away by the first that sees it."""

    @property
    def name(self) -> str:
        """As its entry point says."""
        return NAME

    def execute(self, circuits: Any, execution_config: Any = None) -> Any:
        """What ``default.qubit`` finds, if it comes to that."""
        fault = _asked_for()
        if fault == "hang":
            time.sleep(10**6)
        if fault == "memory":
            blocks = []
            for _ in range(MOST_BLOCKS):
                blocks.append(b"x" * BLOCK)
                time.sleep(0.3)
            raise MemoryError
        found = super().execute(circuits, execution_config)
        return _lost(found) if fault == "nan" else found


def _asked_for() -> str | None:
    for path in Path(os.environ[FOLDER]).iterdir():
        fault, _, once = path.name.partition("-")
        if not once:
            return fault
        try:
            path.unlink()
        except FileNotFoundError:  # another was faster
            continue
        return fault
    return None


def _lost(found: Any) -> Any:
    return tuple(map(_lost, found)) if isinstance(found, tuple | list) else found * math.nan


def install(folder: Path) -> dict[str, str]:
    """Put the device where PennyLane finds it; the environment of processes that are to have it."""
    about, faults = folder / "faulty_device-1.0.dist-info", folder / "faults"
    about.mkdir()
    faults.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty_device\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[pennylane.plugins]\n{NAME} = {__name__}:{FaultyQubit.__name__}\n")
    (about / "RECORD").write_text("")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}", FOLDER: str(faults)}

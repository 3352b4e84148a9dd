"""What commands print: one JSON object, one line of error, one warning."""

import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsynth.errors import QsynthError

if TYPE_CHECKING:
    from cluster.tracking.record import Status
    from cluster.tracking.tracker import Tracker


def fail(message: str) -> None:
    """Print one line to standard error and exit with code 2."""
    print(f"qsynth: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


def emit(value: Any) -> None:
    """Print one JSON object to standard output."""
    print(json.dumps(value))


def warn_undelivered(n_records: int, run_dir: Path) -> None:
    """Say on the terminal what has not reached MLflow, if anything."""
    if n_records:
        command = shlex.join(["qsynth", "sync", str(run_dir)])
        print(f"{n_records} records have not reached MLflow; send them with: {command}", file=sys.stderr)


def end_tracking(tracker: "Tracker", status: "Status", run_dir: Path, timeout_s: float = 60.0) -> None:
    """End a study in MLflow as far as the state of its folder allows; what is wrong with that has been said before.

    Args:
        timeout_s: for MLflow, to take what it has not got yet.
    """
    with suppress(QsynthError):
        warn_undelivered(tracker.close(status, timeout_s), run_dir)

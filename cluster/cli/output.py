"""What commands print: one JSON object, one line of error, one warning."""

import json
import sys
from pathlib import Path
from typing import Any


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
        print(f"{n_records} records have not reached MLflow; send them with: qsynth sync {run_dir}", file=sys.stderr)

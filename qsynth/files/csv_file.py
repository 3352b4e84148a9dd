"""Rows as a CSV file."""

from pathlib import Path

import pandas as pd

from qsynth.errors import FileError
from qsynth.files.atomic import atomic_file


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index, whole or not at all.

    Raises:
        FileError: it can't be written; what was there before is still there.
    """
    try:
        with atomic_file(path) as file:
            frame.to_csv(file, index=False, mode="wb", encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} can't be written: {error.strerror or error}") from None

"""Rows into a file, in the form that its ending says."""

import gzip
import sys
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow  # type: ignore[import-untyped]

from qsynth.errors import FileError
from qsynth.files.atomic import atomic_file
from qsynth.tables.file_bytes import PARQUET_ENDINGS, STANDARD_INPUT, ending

_SEPARATORS = {".csv": ",", ".txt": ",", ".data": ",", ".tsv": "\t", ".tab": "\t"}


def write_rows(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a table without its index, whole or not at all; ``-`` is CSV on standard output.

    Raises:
        FileError: an ending of something else, or it can't be written; what was there before is still there.
    """
    if str(path) == STANDARD_INPUT:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    check_ending(path)
    path, kind = Path(path), ending(path)
    try:
        with atomic_file(path) as file:
            if kind in PARQUET_ENDINGS:
                frame.rename(columns=str).to_parquet(file, engine="pyarrow", index=False)
            elif path.name.lower().endswith(".gz"):
                with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                    _write_text(frame, packed, _SEPARATORS[kind])
            else:
                _write_text(frame, file, _SEPARATORS[kind])
    except OSError as error:
        raise FileError(f"{path} can't be written: {error.strerror or error}") from None
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        raise FileError(f"{path} can't hold the table: {' '.join(str(error).split())[:200]}") from None


def check_ending(path: Path | str) -> None:
    """Refuse a file that rows can't be written to.

    Raises:
        FileError: an ending of something else.
    """
    kind, zipped = ending(path), str(path).lower().endswith(".gz")
    if kind not in (*_SEPARATORS, *PARQUET_ENDINGS) or (kind in PARQUET_ENDINGS and zipped):
        raise FileError(f"a table's path must end in .csv, .tsv or .parquet, text also in .gz; got {str(path)!r}")


def _write_text(frame: pd.DataFrame, file: BinaryIO | gzip.GzipFile, separator: str) -> None:
    frame.to_csv(file, index=False, mode="wb", sep=separator, lineterminator="\n", encoding="utf-8")

"""Rows into a file, in the form that its ending says."""

import gzip
import io
import sys
from pathlib import Path

import pandas as pd
import pyarrow  # type: ignore[import-untyped]

from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_bytes
from qsynth.tables.file_bytes import PARQUET_ENDINGS, STANDARD_INPUT, ending

_SEPARATORS = {".csv": ",", ".txt": ",", ".data": ",", ".tsv": "\t", ".tab": "\t"}


def write_rows(frame: pd.DataFrame, path: Path | str) -> None:
    """Write a table without its index, whole or not at all; ``-`` is CSV on standard output.

    Raises:
        FileError: an ending of something else, or it can't be written; what was there before is still there.
    """
    if str(path) == STANDARD_INPUT:
        sys.stdout.write(frame.to_csv(index=False, lineterminator="\n"))
        return
    path, kind = Path(path), ending(path)
    if kind not in (*_SEPARATORS, *PARQUET_ENDINGS) or (kind in PARQUET_ENDINGS and path.name.lower().endswith(".gz")):
        raise FileError(f"a table's path must end in .csv, .tsv or .parquet, text also in .gz; got {str(path)!r}")
    try:
        content = _parquet(frame) if kind in PARQUET_ENDINGS else _text(frame, _SEPARATORS[kind])
        if path.name.lower().endswith(".gz"):
            content = gzip.compress(content, mtime=0)
        atomic_write_bytes(path, content)
    except OSError as error:
        raise FileError(f"{path} can't be written: {error.strerror or error}") from None
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        raise FileError(f"{path} can't hold the table: {' '.join(str(error).split())[:200]}") from None


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.rename(columns=str).to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _text(frame: pd.DataFrame, separator: str) -> bytes:
    return frame.to_csv(index=False, sep=separator, lineterminator="\n").encode("utf-8")

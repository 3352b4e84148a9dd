"""A table from a file as it is: CSV with any separator, or Parquet, plain or compressed."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet  # type: ignore[import-untyped]

from qsynth.errors import DataError, FileError, QsynthError
from qsynth.tables import file_bytes as files
from qsynth.tables.delimited import Lines, decoded, read_lines
from qsynth.tables.header import named
from qsynth.tables.remark import Remark
from qsynth.tables.text_values import typed

# What reading a damaged or forged table can raise: from the file itself, or what pandas builds of it.
MALFORMED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError)


@dataclass(frozen=True, eq=False)
class Rows:
    """A table that was read, and what was done to it on the way."""

    frame: pd.DataFrame
    remarks: tuple[Remark, ...]


def read_rows(path: Path | str, target: str | None = None) -> Rows:
    """The table in a file, or ``-`` for standard input.

    Args:
        path: ends in .csv, .tsv, .txt or .parquet in any case, text also in .gz; pipes may have any name.
        target: a column of classes, which may be called NA or null.

    Raises:
        QsynthError: it can't be read or is no table; one line that says where.
    """
    content = files.file_bytes(path)
    try:
        if content[:4] == b"PAR1" or files.ending(path) in files.PARQUET_ENDINGS:
            return _parquet(path, content)
        return _delimited(path, content, target)
    except QsynthError:
        raise
    except (*MALFORMED, csv.Error, pyarrow.ArrowException) as error:
        what = "Parquet" if files.ending(path) in files.PARQUET_ENDINGS else "CSV"
        raise FileError(f"{path} must be a {what} table: {' '.join(str(error).split())[:200]}") from None


def _delimited(path: Path | str, content: bytes, target: str | None) -> Rows:
    text, encoding = decoded(path, content)
    remarks = []
    if encoding is not None:
        remarks.append(Remark(f"the file is not UTF-8: read as {encoding}"))
    lines = read_lines(path, text, tab=files.ending(path) in (".tsv", ".tab"))
    remarks.extend(Remark(line) for line in lines.remarks)
    frame, said = named(lines.cells, short=lines.short_header)
    remarks.extend(said)
    _check_names(path, list(frame.columns))
    frame, said = typed(frame, lines.separator, target)
    remarks.extend(said)
    return Rows(_without_blank_rows(path, frame, remarks, lines), tuple(remarks))


def _without_blank_rows(path: Path | str, frame: pd.DataFrame, remarks: list[Remark], lines: Lines) -> pd.DataFrame:
    blank = frame.isna().all(axis=1)
    if not len(frame):
        raise DataError(f"{path} must have rows below its header line; got none in {len(lines.cells)} lines")
    if blank.all():
        raise DataError(f"{path} must have values; got missing ones only in {len(frame)} rows")
    if n_blank := int(blank.sum()):
        remarks.append(Remark(f"{n_blank} rows without any value are left out"))
        frame = frame[~blank].reset_index(drop=True)
        full = [name for name in frame.columns if frame[name].notna().all()]
        plain = {"Int64": "int64", "UInt64": "uint64", "boolean": "bool"}
        frame = frame.astype({name: plain[str(frame[name].dtype)] for name in full if str(frame[name].dtype) in plain})
    return frame


def _parquet(path: Path | str, content: bytes) -> Rows:
    with pyarrow.parquet.ParquetFile(io.BytesIO(content)) as file:
        names = [str(name) for name in file.schema_arrow.names]
        n_bytes = 8 * file.metadata.num_rows * len(names)
    _check_names(path, names)
    if n_bytes > files.MAX_BYTES:
        raise FileError(
            f"{path} must unpack to at most {files.MAX_BYTES // 1024**2} MiB; got {n_bytes / 1024**2:.0f}. "
            "Use fewer rows or columns."
        )
    frame = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    remarks = []
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
        remarks.append(Remark("the table's index is read as columns"))
    frame = frame.rename(columns=str)
    for name in frame.columns[frame.dtypes == "object"]:
        if isinstance(frame[name].dropna().head(1).squeeze(), Decimal):
            frame[name] = frame[name].astype("float64")
            remarks.append(Remark("decimals are read as float64", str(name)))
    if not len(frame):
        raise DataError(f"{path} must have rows; got none")
    return Rows(frame.reset_index(drop=True), tuple(remarks))


def _check_names(path: Path | str, names: list[str]) -> None:
    if not names:
        raise DataError(f"{path} must have columns; got none")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"{path}: column names must differ; got {repeated[0]!r} {names.count(repeated[0])} times")

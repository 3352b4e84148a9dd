"""A user's CSV or Parquet file as a table, or one line that says why it can't be one."""

import csv
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet  # type: ignore[import-untyped]
from numpy.typing import NDArray

from qsynth.data.table import UNLABELLED, Table
from qsynth.errors import DataError, FileError, QsynthError, StudyError, did_you_mean

LABEL_COLUMN = "label"
MAX_BYTES = 512 * 1024**2
MIN_ROWS = 40
MAX_CLASSES = 50
_LARGEST = 1e100


def read_table(path: Path, label: str | None) -> Table:
    """The table in a ``.csv`` (UTF-8, comma, header line) or ``.parquet`` file.

    Args:
        path: the file, at most 512 MiB.
        label: name of the column that holds the classes; every other column is a numeric feature.

    Raises:
        QsynthError: the file can't be read or doesn't hold such a table; names the column and how many rows.
    """
    frame = _read_frame(path, label)
    if len(frame) < MIN_ROWS:
        raise DataError(f"{path} must have at least {MIN_ROWS} rows; got {len(frame)}. Add rows.")
    if label is not None and label not in frame.columns:
        raise StudyError(f"{path}: label must name a column; got {label!r}.{did_you_mean(label, frame.columns)}")
    for column in frame.columns:
        if n_missing := int(frame[column].isna().sum()):
            raise DataError(
                f"{path}: column {column!r} must have no missing values; got {n_missing} missing in {len(frame)} rows. "
                "Fill them in or drop the rows."
            )
    y, class_names = _classes(path, frame[label]) if label is not None else (np.zeros(len(frame), np.int64), UNLABELLED)
    features = [column for column in frame.columns if column != label]
    if not features:
        raise DataError(f"{path} must have a feature column beside the label; got only {label!r}")
    if LABEL_COLUMN in features:
        raise DataError(
            f"{path}: feature column {LABEL_COLUMN!r} has the name that is kept for the classes. "
            f"Set label: {LABEL_COLUMN}, or rename the column."
        )
    x = np.column_stack([_numbers(path, frame[column]) for column in features])
    return Table(x=x, y=y, feature_names=tuple(features), class_names=class_names)


def _read_frame(path: Path, label: str | None) -> pd.DataFrame:
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": partial(_read_csv, label=label),
        ".parquet": _read_parquet,
    }
    if path.suffix.lower() not in readers:
        raise FileError(f"a table's path must end in .csv or .parquet; got {str(path)!r}")
    if not path.is_file():
        raise FileError(f"a table's path must be an existing file; got {str(path)!r}, which is {path.absolute()}")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise FileError(f"{path} must be at most {MAX_BYTES // 1024**2} MiB; got {size / 1024**2:.0f}. Use fewer rows.")
    try:
        return readers[path.suffix.lower()](path)
    except QsynthError:
        raise
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or _line(error)}") from None
    except UnicodeDecodeError:
        raise FileError(f"{path} must be UTF-8 text; save it in that encoding") from None
    except (ValueError, csv.Error, pd.errors.ParserWarning, pyarrow.ArrowException) as error:
        raise FileError(f"{path} must be a {path.suffix[1:].upper()} table: {_line(error)}") from None


def _read_csv(path: Path, label: str | None) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next((row for row in csv.reader(file) if row), [])
    _check_names(path, header)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(path, encoding="utf-8-sig", index_col=False, low_memory=False)
        if label in frame.columns and frame[label].isna().any():
            # A class may be called NA or null, which in other columns means missing.
            frame[label] = pd.read_csv(
                path, encoding="utf-8-sig", usecols=[label], dtype=str, keep_default_na=False, na_values=[""]
            )[label]
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    with pyarrow.parquet.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        n_bytes = 8 * file.metadata.num_rows * len(names)
    _check_names(path, names)
    if n_bytes > MAX_BYTES:
        raise FileError(f"{path} must unpack to at most {MAX_BYTES // 1024**2} MiB; got {n_bytes / 1024**2:.0f}")
    frame = pd.read_parquet(path, engine="pyarrow")
    return frame.rename(columns=str)


def _check_names(path: Path, names: list[str]) -> None:
    if not names:
        raise DataError(f"{path} must have a header line and rows; got an empty file")
    if len(names) == 1 and (found := [mark for mark in ";\t|" if mark in names[0]]):
        raise DataError(f"{path} must have commas between its columns; its header line has {found[0]!r}")
    if "" in (stripped := [name.strip() for name in names]):
        raise DataError(
            f"{path}: every column must have a name; column {stripped.index('') + 1} of {len(names)} has none. "
            "Name it, or save the table without its index."
        )
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"{path}: column names must differ; got {repeated[0]!r} {names.count(repeated[0])} times")


def _classes(path: Path, column: pd.Series) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Class indices and names; numbers sort as numbers."""
    values = column if pd.api.types.is_numeric_dtype(column) else column.astype(str)
    codes, found = pd.factorize(values, sort=True)
    if len(found) == 1:
        raise DataError(
            f"{path}: label column {column.name!r} must have at least 2 classes; got {str(found[0])!r} in all "
            f"{len(column)} rows. Add rows of another class, or leave label out."
        )
    if len(found) > MAX_CLASSES:
        raise DataError(
            f"{path}: label column {column.name!r} must have at most {MAX_CLASSES} classes; got {len(found)} different "
            f"values in {len(column)} rows. Name a column of classes."
        )
    return codes.astype(np.int64), tuple(str(value) for value in found)


def _numbers(path: Path, column: pd.Series) -> NDArray[np.float64]:
    """A feature column as float64."""
    if not pd.api.types.is_numeric_dtype(column):
        text = column.astype(str)
        column = pd.to_numeric(text, errors="coerce")
        if (bad := column.isna()).any():
            raise DataError(
                f"{path}: feature column {column.name!r} must be numeric; {int(bad.sum())} of {len(column)} rows "
                f"are not, e.g. {text[bad].iloc[0][:40]!r}. Encode it as numbers or drop it."
            )
    numbers = np.asarray(column.to_numpy(dtype=np.float64), dtype=np.float64)
    if n_bad := int((~(np.abs(numbers) <= _LARGEST)).sum()):
        raise DataError(
            f"{path}: feature column {column.name!r} must be finite and within +-{_LARGEST:g}; "
            f"{n_bad} of {len(column)} rows are not. Correct or drop the rows."
        )
    return numbers


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]

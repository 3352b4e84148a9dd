"""A user's CSV or Parquet file as a table of numbers, or one line that says why it can't be one."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsynth.data.table import Table
from qsynth.errors import DataError, QsynthError, StudyError, did_you_mean
from qsynth.tables.columns import Column, ConstantColumn, IdColumn
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows
from qsynth.tables.schema import Schema

LABEL_COLUMN = "label"
MIN_ROWS = 40
MAX_CLASSES = 50
# What YAML reads as "no label" when it is not in quotes.
_NO_LABEL = ("null", "~")


def read_table(path: Path, label: str | None) -> Table:
    """The table in a file that :func:`qsynth.tables.reading.read_rows` takes, as numbers.

    Categories are codes in the order of their names, dates are counted; a missing value is the median of its column, or
    the most frequent category. Ids are left out.

    Args:
        path: the file, at most 512 MiB.
        label: name of the column that holds the classes; every other column is a feature.

    Raises:
        QsynthError: the file can't be read or doesn't hold such a table; names the column and how many rows.
    """
    rows = read_rows(path, label)
    frame = rows.frame
    if len(frame) < MIN_ROWS:
        raise DataError(f"{path} must have at least {MIN_ROWS} rows; got {len(frame)}. Add rows.")
    said = next((f". {remark.text}" for remark in rows.remarks if remark.warning), "")
    if label is not None and label not in frame.columns:
        raise StudyError(f"{path}: label must name a column; got {label!r}.{did_you_mean(label, frame.columns)}{said}")
    if label is None and (words := [name for name in frame.columns if name.lower() in _NO_LABEL]):
        raise StudyError(
            f"{path} has a column {words[0]!r}, which YAML reads as no label: write label: '{words[0]}', in quotes, or "
            "rename the column"
        )
    schema = _schema(path, frame, label)
    features = [column for column in schema.columns if column.name != label and _is_feature(column)]
    if not features:
        raise DataError(f"{path} must have a feature column beside the label; got only {label!r}")
    if any(column.name == LABEL_COLUMN for column in features):
        raise DataError(
            f"{path}: feature column {LABEL_COLUMN!r} has the name that is kept for the classes. "
            f"Set label: {LABEL_COLUMN}, or rename the column."
        )
    labelled = schema.labelled(frame)
    x = np.column_stack([_filled(column, labelled) for column in features])
    names = tuple(str(column.name) for column in features)
    return Table(x=x, y=schema.labels(labelled), feature_names=names, class_names=schema.classes)


def _schema(path: Path, frame: pd.DataFrame, label: str | None) -> Schema:
    if label is not None and len(frame.columns) == 1:
        raise DataError(f"{path} must have a feature column beside the label; got only {label!r}")
    if label is not None and (n_classes := int(frame[label].nunique())) > MAX_CLASSES:
        raise DataError(
            f"{path}: label column {label!r} must have at most {MAX_CLASSES} classes; got {n_classes} different "
            f"values in {len(frame)} rows. Name a column of classes."
        )
    if label is not None and frame[label].nunique() == 1:
        raise DataError(
            f"{path}: label column {label!r} must have at least 2 classes; got {str(frame[label].iloc[0])!r} in all "
            f"{len(frame)} rows. Add rows of another class, or leave label out."
        )
    try:
        return infer_schema(frame, label, {} if label is None else {label: "category"})[0]
    except QsynthError as error:
        raise type(error)(f"{path}: {error}") from None


def _is_feature(column: Column) -> bool:
    return not isinstance(column, IdColumn) and not (isinstance(column, ConstantColumn) and column.number is None)


def _filled(column: Column, frame: pd.DataFrame) -> NDArray[np.float64]:
    """A column's numbers, with what is typical where one is missing."""
    numbers = column.encode(frame[column.name])
    absent = np.isnan(numbers)
    if absent.any():
        present = numbers[~absent]
        numbers[absent] = np.bincount(present.astype(np.int64)).argmax() if column.nominal else np.median(present)
    return numbers

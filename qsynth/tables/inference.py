"""Which kind each column of a table is."""

import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from qsynth.errors import DataError, StudyError, did_you_mean
from qsynth.tables.codes import BooleanColumn, CategoryColumn
from qsynth.tables.column import LARGEST, LARGEST_WHOLE
from qsynth.tables.columns import KINDS, Column, ConstantColumn
from qsynth.tables.date_text import date_format
from qsynth.tables.dates import DateColumn
from qsynth.tables.families import family
from qsynth.tables.ids import IdColumn
from qsynth.tables.quantities import IntegerColumn, NumberColumn, as_numbers
from qsynth.tables.remark import Remark
from qsynth.tables.schema import MAX_CLASSES, Schema
from qsynth.tables.suspicions import suspicions

# More different texts than this, or than half of the rows, are no categories.
_MOST_CATEGORIES = 256
_FEW_CATEGORIES = 20
_FEWEST_FOR_CODES = 8
_ID_NAME = re.compile(r"(^|[\W_])(id|ids|uuid|guid|key|nr|idx|index|rownames?|obs|case|subject|unnamed)([\W_]|$)", re.I)
_ID_CAMEL = re.compile(r"[a-z]I[dD]s?$")


def infer_schema(
    frame: pd.DataFrame, target: str | int | None = None, kinds: Mapping[str, str] | None = None
) -> tuple[Schema, tuple[Remark, ...]]:
    """The schema of a table, and what somebody should know before it is learned from.

    Rows without a target are left out of account.

    Args:
        frame: at least two rows.
        target: name of the column that rows are conditioned on. Numbers of more than 20 different values are no classes
            but a quantity, unless they run 0, 1, ... or 1, 2, ... and each has 5 rows.
        kinds: column name -> kind that the user insists on.

    Raises:
        DataError: what can't be learned from; one line that names the column.
        StudyError: an unknown target, column or kind.
    """
    insisted = dict(kinds or {})
    _check_frame(frame, target, insisted)
    remarks: list[Remark] = []
    if target is not None and (n_missing := int(frame[target].isna().sum())):
        frame = frame[frame[target].notna()]
        text = f"{n_missing} rows without a target are left out; {len(frame)} remain"
        remarks.append(Remark(text, str(target), warning=True))
        if len(frame) < 2:
            raise DataError(f"target {target!r} must be given in at least 2 rows; got {len(frame)}")
    columns = []
    for name in frame.columns:
        wanted = insisted.get(str(name))
        column = _target(frame[name], wanted) if name == target else None
        if column is None:
            column, text = _insisted(frame[name], wanted) if wanted else inferred(frame[name])
            if text:
                remarks.append(Remark(text, str(name)))
        columns.append(column)
    plain = int(target) if isinstance(target, np.integer) else target
    schema = Schema(columns=tuple(columns), target=plain, n_rows=len(frame))
    if not schema.modelled and len(schema.classes) < 2:
        raise DataError("a table must have a column to learn; got constants and ids only")
    return schema, (*remarks, *suspicions(frame, schema))


def _check_frame(frame: pd.DataFrame, target: str | int | None, insisted: Mapping[str, str]) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"a table must be a DataFrame; got {type(frame).__name__}")
    if frame.shape[1] == 0:
        raise DataError(f"a table must have columns; got none in {len(frame)} rows")
    if len(frame) < 2:
        raise DataError(f"a table must have at least 2 rows; got {len(frame)}")
    names = list(frame.columns)
    named: list[object] = list(frame.columns)
    for name in named:
        if isinstance(name, bool) or not isinstance(name, str | int | np.integer):
            raise DataError(f"a column's name must be text or a whole number; got {name!r}")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"column names must differ; got {repeated[0]!r} {names.count(repeated[0])} times")
    if frame.isna().to_numpy().all():
        raise DataError(f"a table must have values; got missing ones only in {len(frame)} rows")
    texts = [str(name) for name in names]
    if target is not None and target not in names:
        raise StudyError(f"target must name a column; got {target!r}.{did_you_mean(str(target), texts)}")
    for name, kind in insisted.items():
        if str(name) not in texts:
            raise StudyError(f"kinds must name columns; got {name!r}.{did_you_mean(str(name), texts)}")
        if kind not in KINDS:
            raise StudyError(f"kind of column {name!r} must be known; got {kind!r}.{did_you_mean(str(kind), KINDS)}")


def _target(series: pd.Series, wanted: str | None) -> Column | None:
    """The target as classes; None when it is a quantity, or somebody insists on another kind."""
    if wanted not in (None, "category", "boolean"):
        return None
    what, distinct = family(series), series.nunique()
    if distinct < 2:
        raise DataError(
            f"target {series.name!r} must have at least 2 different values; got {str(series.iloc[0])[:40]!r} in "
            f"all {len(series)} rows"
        )
    if what == "boolean":
        return BooleanColumn.learned(series)
    if what == "date":
        return None
    if what == "numbers" and wanted is None and not _classes(series):
        return None
    if distinct > MAX_CLASSES:
        raise DataError(
            f"target {series.name!r} must have at most {MAX_CLASSES} classes; got {distinct} different values in "
            f"{len(series)} rows. Name a column of classes"
        )
    return CategoryColumn.learned(series)


def _classes(series: pd.Series) -> bool:
    """Whether numbers are names of classes."""
    values, counts = np.unique(_checked(series), return_counts=True)
    whole = bool((values == np.rint(values)).all())
    if len(values) <= 20:
        return len(values) <= max(2, len(series) // (2 if whole else 5))
    run = whole and values[0] in (0.0, 1.0) and values[-1] - values[0] == len(values) - 1
    return bool(run and counts.min() >= 5)


def inferred(series: pd.Series) -> tuple[Column, str]:
    """A column of the kind that its values look like, and a remark, empty when there is none to make."""
    if not len(present := series.dropna()):
        like = CategoryColumn.learned(series)
        shared = {name: getattr(like, name) for name in ("name", "dtype", "missing", "missing_as")}
        return ConstantColumn(**shared, like=like, number=None), "is missing in all rows: kept as it is"
    what = family(series)
    column, text = _of_family(series, what)
    if series.notna().all() and present.nunique() == 1 and not isinstance(column, IdColumn | ConstantColumn):
        number = float(column.encode(series.iloc[:1])[0])
        shared = {name: getattr(column, name) for name in ("name", "dtype", "missing", "missing_as")}
        return ConstantColumn(**shared, like=column, number=number), "has one value in all rows: kept as it is"
    return column, text


def _of_family(series: pd.Series, what: str) -> tuple[Column, str]:
    if what == "boolean":
        return BooleanColumn.learned(series), ""
    if what == "date":
        return DateColumn.learned(series), ""
    if what == "numbers":
        return _numeric(series)
    if what == "category":
        return _categorical(series)
    if what == "text":
        return _textual(series)
    n_distinct = series.nunique()
    if n_distinct > _limit(len(series)):
        raise DataError(
            f"column {series.name!r} must hold values of one type; got {n_distinct} different ones of several types. "
            "Convert it with astype(str), or to numbers"
        )
    return CategoryColumn.learned(series), "holds text and numbers: taken as categories"


def _checked(series: pd.Series) -> np.ndarray:
    """Present numbers, finite and not too large."""
    numbers = as_numbers(series.dropna())
    if n_bad := int((~(np.abs(numbers) <= LARGEST)).sum()):
        raise DataError(
            f"column {series.name!r} must be finite and within +-{LARGEST:g}; {n_bad} of {len(series)} rows are not. "
            "Correct or drop the rows"
        )
    return numbers


def _numeric(series: pd.Series, *, text: bool = False) -> tuple[Column, str]:
    numbers = _checked(series)
    distinct = np.unique(numbers)
    whole = bool((distinct == np.rint(distinct)).all())
    fractions = pd.api.types.is_float_dtype(series.dtype)
    if whole and not fractions and np.abs(distinct).max() > LARGEST_WHOLE:
        if series.nunique() <= min(_FEW_CATEGORIES, len(series) // 2):
            return CategoryColumn.learned(series), "holds whole numbers beyond 2^52: taken as categories"
        return IdColumn.learned(series), "holds whole numbers beyond 2^52: taken as ids, made anew and not learned"
    if len(distinct) == 2 and len(numbers) >= _FEWEST_FOR_CODES and not text:
        return CategoryColumn.learned(series), ""
    if whole and len(distinct) == len(numbers) and len(numbers) >= _FEWEST_FOR_CODES and np.abs(distinct).max() < 1e15:
        counted = not fractions and distinct[0] in (0.0, 1.0) and bool((np.diff(numbers) == 1.0).all())
        if counted or (looks_like_id(series.name) and not fractions):
            why = "counts the rows" if counted else "has a number of its own in each row"
            return IdColumn.learned(series), f"{why}: taken as an id, made anew and not learned"
    if whole and np.abs(distinct).max() <= LARGEST_WHOLE:
        return IntegerColumn.learned(series, text=text), ""
    return NumberColumn.learned(series, text=text), ""


def _categorical(series: pd.Series) -> tuple[Column, str]:
    n_distinct = series.nunique()
    if n_distinct <= max(_limit(len(series)), _FEW_CATEGORIES) or series.cat.ordered:
        return CategoryColumn.learned(series), ""
    if pd.api.types.is_numeric_dtype(series.cat.categories.dtype):
        raise DataError(f"column {series.name!r} must have at most {_MOST_CATEGORIES} categories; got {n_distinct}")
    return IdColumn.learned(series), f"has {n_distinct} categories: taken as ids, made anew and not learned"


def _textual(series: pd.Series) -> tuple[Column, str]:
    present = series.dropna()
    if found := date_format(present):
        return DateColumn.learned(series, format=found[0], padded=found[1]), ""
    n_distinct = present.nunique()
    unique = n_distinct == len(present) and n_distinct >= _FEWEST_FOR_CODES
    if n_distinct > _FEW_CATEGORIES and (column := _numbers_as_text(series)) is not None:
        return column
    if n_distinct <= _limit(len(present)) and not unique:
        return CategoryColumn.learned(series), ""
    if unique:
        return IdColumn.learned(series), "has a text of its own in each row: taken as an id, made anew and not learned"
    return IdColumn.learned(series), f"has {n_distinct} different texts in {len(series)} rows: made anew, not learned"


def _numbers_as_text(series: pd.Series) -> tuple[Column, str] | None:
    """Text of numbers that all have the same number of decimals."""
    try:
        column, text = _numeric(series, text=True)
    except (ValueError, TypeError):
        return None
    if isinstance(column, IdColumn):
        return None
    try:
        column.check(series)
    except DataError:
        return None
    return column, text or "holds numbers as text: comes back as text"


def _limit(n_rows: int) -> int:
    """How many different texts are categories."""
    return min(_MOST_CATEGORIES, max(_FEW_CATEGORIES, n_rows // 2))


def looks_like_id(name: object) -> bool:
    """Whether a column's name says that its values only tell rows apart."""
    return bool(_ID_NAME.search(str(name)) or _ID_CAMEL.search(str(name)))


def _insisted(series: pd.Series, kind: str) -> tuple[Column, str]:
    """A column of the kind that the user wants."""
    if not len(present := series.dropna()):
        return inferred(series)
    try:
        if kind == "constant":
            column, text = inferred(series)
            if not isinstance(column, ConstantColumn):
                raise DataError(f"column {series.name!r} must have one value in all rows to be a constant")
            return column, text
        if kind == "date":
            found = date_format(present) if family(series) == "text" else ("", True)
            if found is None:
                raise DataError(
                    f"column {series.name!r} must hold dates of one format; got {str(present.iloc[0])[:40]!r}"
                )
            return DateColumn.learned(series, format=found[0], padded=found[1]), ""
        if kind in ("number", "integer"):
            numbers = _checked(series)
            if kind == "integer" and not (numbers == np.rint(numbers)).all():
                raise DataError(f"column {series.name!r} must hold whole numbers to be of kind integer")
            as_text = family(series) == "text"
            if kind == "integer":
                return IntegerColumn.learned(series, text=as_text), ""
            return NumberColumn.learned(series, text=as_text), ""
        if kind == "boolean":
            return BooleanColumn.learned(series), ""
        return (CategoryColumn if kind == "category" else IdColumn).learned(series), ""
    except DataError:
        raise
    except (TypeError, ValueError, OverflowError, AttributeError):
        raise DataError(
            f"column {series.name!r} must hold values of kind {kind}; got {str(present.iloc[0])[:40]!r}"
        ) from None

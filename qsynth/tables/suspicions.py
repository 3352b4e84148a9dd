"""What looks wrong in a table, said before work starts."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from qsynth.tables.columns import CategoryColumn, Column, IntegerColumn, NumberColumn
from qsynth.tables.remark import Remark
from qsynth.tables.schema import UNLABELLED, Schema

FEWEST_ROWS = 5
# Names that YAML 1.1 reads as something else unless they are quoted.
_YAML_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "~", "y", "n"}
_FAR = 100.0
_MANY_MISSING = 0.5
_SAME = 1e-9


def suspicions(frame: pd.DataFrame, schema: Schema) -> tuple[Remark, ...]:
    """Remarks on what is likely to be a mistake."""
    of_columns = (remark for column in schema.columns for remark in _of_column(frame, column))
    return (*of_columns, *_rare_classes(frame, schema), *_leaks(frame, schema))


def _of_column(frame: pd.DataFrame, column: Column) -> Iterator[Remark]:
    name = str(column.name)
    if name.lower() in _YAML_WORDS:
        yield Remark(f"has a name that YAML reads as another value: write it as '{name}', in quotes", name)
    if isinstance(column, CategoryColumn):
        yield from _near_duplicates(column)
    if isinstance(column, NumberColumn | IntegerColumn):
        yield from _sentinels(frame[column.name], column)
    if _MANY_MISSING < column.missing < 1.0:
        yield Remark(f"is missing in {column.missing:.0%} of the rows", name)


def _near_duplicates(column: CategoryColumn) -> Iterator[Remark]:
    """Values that differ only in case or in spaces."""
    alike = defaultdict(list)
    for value in column.categories:
        if isinstance(value, str):
            alike[" ".join(value.split()).casefold()].append(value)
    for values in alike.values():
        if len(values) > 1:
            shown = " and ".join(repr(value) for value in values[:3])
            yield Remark(f"has {shown}, which differ only in case or spaces", str(column.name), warning=True)


def _sentinels(series: pd.Series, column: NumberColumn | IntegerColumn) -> Iterator[Remark]:
    """Extremes that may stand for something else than a number: -999, 9999, or far outside of all others."""
    values = column.encode(series)
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(distinct) < 4:
        return
    for value, count, others in ((distinct[0], counts[0], distinct[1:]), (distinct[-1], counts[-1], distinct[:-1])):
        span, gap = others[-1] - others[0], np.abs(others - value).min()
        nines = set(f"{abs(value):.0f}") == {"9"} and abs(value) >= 99 and value == round(value)
        if gap > _FAR * span or (nines and gap > 0.5 * span):
            text = (
                f"has {value:g} in {count} rows, far outside of all others: if it stands for a missing value, empty it"
            )
            yield Remark(text, str(column.name), warning=True)


def _rare_classes(frame: pd.DataFrame, schema: Schema) -> Iterator[Remark]:
    if schema.classes == UNLABELLED:
        return
    counts = Counter(schema.labels(frame).tolist())
    rare = [(name, counts[c]) for c, name in enumerate(schema.classes) if counts[c] < FEWEST_ROWS]
    if rare:
        shown = ", ".join(f"{name!r} {count}" for name, count in rare[:5]) + (", ..." if len(rare) > 5 else "")
        text = f"has classes of fewer than {FEWEST_ROWS} rows, too few to learn from: {shown}"
        yield Remark(text, str(schema.target), warning=True)


def _leaks(frame: pd.DataFrame, schema: Schema) -> Iterator[Remark]:
    """Columns from which the target follows, and that follow from it."""
    if schema.target is None:
        return
    target = schema.column(schema.target)
    numbers = target.encode(frame[target.name])
    for column in schema.modelled:
        if column.name == target.name:
            continue
        values = column.encode(frame[column.name])
        same = _one_to_one(values, numbers) if schema.classes != UNLABELLED else _linear(values, numbers)
        if same:
            text = f"tells the target {str(schema.target)!r} exactly: leave it out unless it is known beforehand"
            yield Remark(text, str(column.name), warning=True)


def _one_to_one(values: np.ndarray, classes: np.ndarray) -> bool:
    if np.isnan(values).any() or len(np.unique(values)) != len(np.unique(classes)):
        return False
    return len(np.unique(np.stack([values, classes]), axis=1).T) == len(np.unique(classes))


def _linear(values: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether two columns of numbers are the same up to scale and offset."""
    both = ~(np.isnan(values) | np.isnan(numbers))
    x, y = values[both], numbers[both]
    if len(x) < FEWEST_ROWS or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return False
    x, y = (x - x.mean()) / np.ptp(x), (y - y.mean()) / np.ptp(y)
    return bool(1.0 - (x @ y) ** 2 / ((x @ x) * (y @ y)) < _SAME)

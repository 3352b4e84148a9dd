"""What rows are asked to be like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsynth.errors import StudyError, did_you_mean
from qsynth.tables.columns import Column
from qsynth.tables.schema import Schema

RANGE = ".."
MOST_NAMED = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Condition:
    """One column's values, or its range.

    Attributes:
        values: numbers that the column's values are encoded as; None for a range.
        low, high: of a range, both ends included.
    """

    column: Column
    values: tuple[float, ...] | None
    low: float
    high: float
    text: str

    @classmethod
    def of(cls, column: Column, wanted: object) -> "Condition":
        """From a value, a list of values, or a pair ``(low, high)`` where None leaves an end open.

        Raises:
            StudyError: values that the column does not have, or a range where there is no order.
        """
        text = f"{column.name} = {_shown(wanted)}"
        if isinstance(wanted, tuple):
            if len(wanted) != 2 or column.counts:
                raise StudyError(f"where: {column.name!r} takes {_kinds(column)}; got {wanted!r}")
            low, high = (
                bound if end is None else _number(column, end)
                for end, bound in zip(wanted, (-np.inf, np.inf), strict=True)
            )
            if not low <= high:
                raise StudyError(f"where: {column.name!r} must have a range from low to high; got {wanted!r}")
            return cls(column=column, values=None, low=low, high=high, text=text)
        each = list(wanted) if isinstance(wanted, list | set | frozenset | np.ndarray | pd.Series) else [wanted]
        if not each:
            raise StudyError(f"where: {column.name!r} must have a value; got none")
        values = tuple(_number(column, value) for value in each)
        return cls(column=column, values=values, low=-np.inf, high=np.inf, text=text)

    def met(self, numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the column's numbers (``n``), as they come back in rows, are like that."""
        numbers = self.column.encode(self.column.decode(numbers))
        if self.values is not None:
            return np.isin(numbers, self.values)
        return (numbers >= self.low) & (numbers <= self.high)


def conditions(where: Mapping[str | int, object] | None, schema: Schema) -> list[Condition]:
    """Of every column that is named.

    Raises:
        StudyError: no such column, one that is not learned, or values that it does not have.
    """
    if where is None:
        return []
    if not isinstance(where, Mapping):
        raise StudyError(f"where must say what columns are to be, e.g. {{'species': 'Gentoo'}}; got {where!r}")
    names = {column.name: column for column in schema.columns}
    for name in where:
        if name not in names:
            raise StudyError(
                f"where must name columns of the table; got {name!r}.{did_you_mean(str(name), map(str, names))}"
            )
        if names[name].kind == "id":
            raise StudyError(f"where: {name!r} is an id, which is made anew for every row")
    return [Condition.of(names[name], wanted) for name, wanted in where.items()]


def parsed(texts: Sequence[str], schema: Schema) -> dict[str | int, object]:
    """Conditions from text: ``NAME=VALUE``, ``NAME=A,B`` or ``NAME=LOW..HIGH`` with either end left out.

    Raises:
        StudyError: text that is none.
    """
    where: dict[str | int, object] = {}
    names = {str(column.name): column for column in schema.columns}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise StudyError(f"--where must be NAME=VALUE or NAME=LOW..HIGH; got {text!r}")
        if name not in names:
            raise StudyError(f"where must name columns of the table; got {name!r}.{did_you_mean(name, names)}")
        column = names[name]
        key = column.name
        if RANGE in value and not column.counts:
            low, _, high = value.partition(RANGE)
            where[key] = (low or None, high or None)
        elif column.counts and value in _labels(column):
            where[key] = value
        else:
            where[key] = value.split(",") if "," in value else value
    return where


def _labels(column: Column) -> list[str]:
    return (
        [str(value) for value in column.decode(np.arange(column.counts or 0, dtype=np.float64))]
        if column.counts
        else []
    )


def _number(column: Column, value: object) -> float:
    """What a value is encoded as; text stands for the value that it spells."""
    if column.counts:
        values = column.decode(np.arange(column.counts or 0, dtype=np.float64))
        for code, each in enumerate(values):
            if type(each) is type(value) and each == value:
                return float(code)
        for code, each in enumerate(values):
            if str(each) == str(value) or each == value:
                return float(code)
        known = [str(each) for each in values]
        hint = did_you_mean(str(value), known) if len(known) <= MOST_NAMED else f" It has {len(known)} values."
        raise StudyError(f"where: {column.name!r} must be one of its values; got {value!r}.{hint}")
    try:
        number = float(column.encode(pd.Series([value]))[0]) if column.kind == "date" else float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        number = np.nan
    if not np.isfinite(number):
        raise StudyError(f"where: {column.name!r} takes {_kinds(column)}; got {value!r}")
    return number


def _kinds(column: Column) -> str:
    if column.counts:
        return "values, not ranges"
    return "a date, or a range of dates" if column.kind == "date" else "a number, or a range of numbers"


def _shown(wanted: object) -> str:
    if isinstance(wanted, tuple) and len(wanted) == 2:
        return RANGE.join("" if end is None else str(end) for end in wanted)
    return str(wanted)

"""Columns of numbers: measured and whole."""

import math
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from qsynth.errors import DataError
from qsynth.tables.column import BaseColumn, Numbers, Whole, common
from qsynth.tables.dtypes import dtype_of

# How many units of the last decimal place a column may span, by the bits of its mantissa.
_LARGEST_UNITS = {52: 1e12, 23: 2.0**22, 10: 2.0**9}
_MOST_DECIMALS = 22
# With fewer different values a common divisor says nothing.
_FEWEST_VALUES = 8


def as_numbers(series: pd.Series) -> Numbers:
    """Numbers, or text of numbers, as float64; NaN where missing."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(series) and isinstance(series.iloc[0], bool):
        raise TypeError("booleans are no numbers")
    return pd.to_numeric(series).to_numpy(dtype=np.float64, na_value=np.nan)


class Quantity(BaseColumn):
    """What measured and whole numbers have in common.

    Attributes:
        low, high: of the observed values.
        step: between values.
        text: whether the numbers are text in the table.
    """

    low: float
    high: float
    step: Whole = Field(1, ge=1)
    text: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise DataError(f"column {self.name!r}: low must be at most high; got {self.low} and {self.high}")
        return self

    def _extremes(self) -> Numbers:
        return np.array([self.low, self.high], dtype=np.float64)

    def _to_numbers(self, series: pd.Series) -> Numbers:
        return as_numbers(series)


class NumberColumn(Quantity):
    """Measured numbers.

    Attributes:
        low, high: of the observed values.
        decimals: decimal places that all values have at most; None where there is no such number.
        step: in units of the last decimal place.
    """

    kind: Literal["number"] = "number"
    low: float = Field(ge=-1e100, le=1e100)
    high: float = Field(ge=-1e100, le=1e100)
    decimals: int | None = Field(None, ge=0, le=_MOST_DECIMALS)

    @classmethod
    def learned(cls, series: pd.Series, *, text: bool = False) -> Self:
        """From values of which at least one is not missing."""
        numbers = as_numbers(series.dropna())
        decimals, step = _grid(numbers, np.dtype(np.float64) if text else _mantissa_dtype(series))
        low, high = float(numbers.min()), float(numbers.max())
        return cls(**common(series), low=low, high=high, decimals=decimals, step=step, text=text)

    @property
    def shown(self) -> str:
        places = "" if self.decimals is None else f", {self.decimals} decimals"
        return f"numbers in {self.low:g} to {self.high:g}{places}"

    def _from_numbers(self, numbers: Numbers) -> Any:
        if self.decimals is None:
            clipped = np.clip(numbers, self.low, self.high)
        else:
            scale = 10.0**self.decimals
            low, high = np.rint(self.low * scale), np.rint(self.high * scale)
            steps = np.clip(np.rint((numbers * scale - low) / self.step), 0, (high - low) // self.step)
            clipped = (low + self.step * steps) / scale
        if self.text:
            return [f"{value:.{self.decimals or 0}f}" for value in clipped]
        return clipped.tolist() if self.dtype == "object" else clipped


class IntegerColumn(Quantity):
    """Whole numbers; their dtype may be one of fractions, as it is when values are missing.

    Attributes:
        low, high: of the observed values.
        step: the largest that leads from the lowest to all others.
    """

    kind: Literal["integer"] = "integer"
    low: Whole
    high: Whole

    @classmethod
    def learned(cls, series: pd.Series, *, text: bool = False) -> Self:
        """From values of which at least one is not missing, all whole."""
        numbers = np.unique(as_numbers(series.dropna()))
        low, high = int(numbers[0]), int(numbers[-1])
        return cls(**common(series), low=low, high=high, step=_divisor(numbers), text=text)

    @property
    def shown(self) -> str:
        return f"whole numbers in {self.low} to {self.high}" + (f", every {self.step}" if self.step > 1 else "")

    def _from_numbers(self, numbers: Numbers) -> Any:
        steps = np.rint((np.clip(numbers, self.low, self.high) - self.low) / self.step)
        whole = self.low + self.step * np.minimum(steps, (self.high - self.low) // self.step)
        if self.text:
            return [str(int(value)) for value in whole]
        if self.dtype == "object":
            return [int(value) for value in whole]
        return whole if pd.api.types.is_float_dtype(dtype_of(self.dtype)) else whole.astype(np.int64)


def _mantissa_dtype(series: pd.Series) -> np.dtype[Any]:
    dtype = getattr(series.dtype, "numpy_dtype", series.dtype)
    return dtype if isinstance(dtype, np.dtype) and dtype.kind == "f" else np.dtype(np.float64)


def _grid(numbers: Numbers, dtype: np.dtype[Any]) -> tuple[int | None, int]:
    """Decimal places and step of values that have few enough digits for them to mean something."""
    distinct = np.unique(numbers)
    largest = float(np.abs(distinct).max())
    limit = _LARGEST_UNITS[np.finfo(dtype).nmant]
    for decimals in range(_MOST_DECIMALS + 1):
        scale = 10.0**decimals
        if largest * scale >= limit:
            return None, 1
        units = np.rint(distinct * scale)
        if np.array_equal((units / scale).astype(dtype).astype(np.float64), distinct):
            return decimals, _divisor(units)
    return None, 1


def _divisor(distinct: Numbers) -> int:
    """The largest step from the lowest of some sorted whole numbers to the others; 1 where they are few."""
    if len(distinct) < _FEWEST_VALUES:
        return 1
    return max(1, math.gcd(*(int(value) for value in distinct - distinct[0])))

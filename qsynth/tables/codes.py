"""Columns whose values are a few names, numbers or truths: coded 0, 1, ..."""

from collections.abc import Hashable
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from qsynth.errors import DataError, did_you_mean
from qsynth.tables.column import BaseColumn, Numbers, Scalar, common
from qsynth.tables.dtypes import dtype_of, dtype_text

MAX_CATEGORIES = 10_000


class BooleanColumn(BaseColumn):
    """False and true, coded 0 and 1.

    Attributes:
        share: of the true among the values that are not missing.
    """

    kind: Literal["boolean"] = "boolean"
    share: float = Field(ge=0.0, le=1.0)

    @classmethod
    def learned(cls, series: pd.Series) -> Self:
        """From values of which at least one is not missing."""
        return cls(**common(series), share=float(series.dropna().astype(bool).mean()))

    @property
    def nominal(self) -> bool:
        return True

    @property
    def counts(self) -> int:
        return 2

    @property
    def shown(self) -> str:
        return "true or false"

    def _extremes(self) -> Numbers:
        return np.array([0.0, 1.0])

    def _to_numbers(self, series: pd.Series) -> Numbers:
        known = {key: number for truth in (False, True) for key, number in ((truth, truth), (str(truth), truth))}
        return np.array([known[value] for value in series.tolist()], dtype=np.float64)

    def _from_numbers(self, numbers: Numbers) -> Any:
        truths = np.clip(np.rint(numbers), 0, 1).astype(bool)
        return truths.tolist() if self.dtype == "object" else truths


class CategoryColumn(BaseColumn):
    """One of a few values.

    Attributes:
        categories: values in the order of their codes: that of a pandas categorical, else sorted.
        shares: their shares among the values that are not missing.
        ordered: whether a pandas categorical has an order.
        declared: all categories of a pandas categorical, also those without a row; None for other dtypes.
        declared_dtype: of the categories of a pandas categorical.
    """

    kind: Literal["category"] = "category"
    categories: tuple[Scalar, ...] = Field(max_length=MAX_CATEGORIES)
    shares: tuple[float, ...]
    ordered: bool = False
    declared: tuple[Scalar, ...] | None = None
    declared_dtype: str = "object"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        keys = {_key(value) for value in self.categories}
        if len(keys) < len(self.categories):
            raise DataError(f"column {self.name!r}: categories must differ")
        if len(self.shares) != len(self.categories):
            raise DataError(f"column {self.name!r}: every category must have a share; got {len(self.shares)} shares")
        if (self.dtype == "category") != (self.declared is not None):
            raise DataError(f"column {self.name!r}: only a column of dtype category must have declared categories")
        if self.declared is not None and not keys <= {_key(value) for value in self.declared}:
            raise DataError(f"column {self.name!r}: every category must be among the declared ones")
        return self

    @classmethod
    def learned(cls, series: pd.Series) -> Self:
        """From any values, even none."""
        shared = common(series)
        if isinstance(series.dtype, pd.CategoricalDtype):
            declared = series.cat.categories
            counts = np.bincount(series.cat.codes[series.cat.codes >= 0], minlength=len(declared))
            names, n_present = [_plain(value) for value in declared], max(1, int(counts.sum()))
            return cls(
                **shared,
                categories=tuple(name for name, count in zip(names, counts, strict=True) if count),
                shares=tuple(float(count) / n_present for count in counts if count),
                ordered=bool(series.cat.ordered),
                declared=tuple(names),
                declared_dtype=dtype_text(declared.dtype),
            )
        tally: dict[Hashable, list[Any]] = {}
        present = series.dropna()
        for value in present.tolist():
            tally.setdefault(_key(value), [_plain(value), 0])[1] += 1
        entries = [tally[key] for key in sorted(tally, key=str if _mixed(tally) else None)]  # type: ignore[type-var,arg-type]
        return cls(
            **shared,
            categories=tuple(value for value, _ in entries),
            shares=tuple(count / len(present) for _, count in entries),
        )

    @property
    def nominal(self) -> bool:
        return not self.ordered

    @property
    def counts(self) -> int:
        return len(self.categories)

    @property
    def shown(self) -> str:
        names = ", ".join(str(value)[:20] for value in self.categories[:4])
        more = f", ... ({len(self.categories)})" if len(self.categories) > 4 else ""
        return f"one of {names}{more}" if names else "no values"

    def _extremes(self) -> Numbers:
        return np.arange(len(self.categories), dtype=np.float64)

    def _to_numbers(self, series: pd.Series) -> Numbers:
        codes = {_key(value): code for code, value in enumerate(self.categories)}
        by_text: dict[str, int] = {}
        for code, value in enumerate(self.categories):
            by_text.setdefault(str(value), code)
        found = [codes.get(_key(value), by_text.get(str(value))) for value in series.tolist()]
        if None in found:
            unknown = str(series.iloc[found.index(None)])[:40]
            known = [str(value) for value in self.categories[:200]]
            raise DataError(
                f"column {self.name!r} must hold {self.shown}; got {unknown!r}.{did_you_mean(unknown, known)}"
            )
        return np.array(found, dtype=np.float64)

    def _from_numbers(self, numbers: Numbers) -> Any:
        if not self.categories:
            return [None] * len(numbers)
        codes = np.clip(np.rint(numbers), 0, len(self.categories) - 1).astype(np.int64)
        values = np.empty(len(self.categories), dtype=object)
        values[:] = list(self.categories)
        return values[codes]

    def decode(self, numbers: Numbers) -> pd.Series:
        if self.declared is None:
            return super().decode(numbers)
        absent = np.isnan(numbers)
        if absent.any() and self.missing == 0.0:
            raise DataError(f"column {self.name!r} must have no missing values, as it had none; got {absent.sum()}")
        places = {_key(value): place for place, value in enumerate(self.declared)}
        of_codes: NDArray[np.int64] = np.array([places[_key(value)] for value in self.categories] or [-1])
        codes = np.clip(np.rint(np.where(absent, 0.0, numbers)), 0, len(of_codes) - 1).astype(np.int64)
        index = pd.Index(list(self.declared), dtype=dtype_of(self.declared_dtype))
        values = pd.Categorical.from_codes(np.where(absent, -1, of_codes[codes]), index, self.ordered)
        return pd.Series(values, name=self.name)


def _plain(value: Any) -> Any:
    """A value of numpy as that of Python.

    Raises:
        DataError: it is neither text, nor a number or truth.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, bool | int | float | str):
        raise DataError(
            f"categories must be text, numbers or truths; got a {type(value).__name__}. Convert the column with "
            "astype(str)"
        )
    return value


def _key(value: Any) -> tuple[str, Any]:
    """True is not 1, but 1.0 is."""
    value = _plain(value)
    return ("truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number", value)


def _mixed(tally: dict[Hashable, Any]) -> bool:
    return len({key[0] for key in tally}) > 1  # type: ignore[index]

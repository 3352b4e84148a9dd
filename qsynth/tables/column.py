"""What all kinds of columns have."""

from abc import abstractmethod
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from qsynth.config import Config
from qsynth.errors import DataError, QsynthError
from qsynth.tables.dtypes import MissingAs, dtype_of, dtype_text, missing_as, restored

Numbers = NDArray[np.float64]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
# Differences of whole numbers up to here are exact in float64.
LARGEST_WHOLE = 2**52
LARGEST = 1e100
Whole = Annotated[StrictInt, Field(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]


class BaseColumn(Config):
    """One column of a table, and its coding as numbers.

    Attributes:
        name: as in the table.
        dtype: of pandas, as :func:`qsynth.tables.dtypes.dtype_text` gives it.
        missing: share of the rows without a value.
        missing_as: what stands for a missing value among objects.
    """

    name: StrictStr | StrictInt
    dtype: str
    missing: float = Field(0.0, ge=0.0, le=1.0)
    missing_as: MissingAs = "nan"

    @model_validator(mode="after")
    def _decodes(self) -> Self:
        """A column that was read from a file may not fit its own dtype."""
        try:
            self.decode(self._extremes())
        except QsynthError:
            raise
        except Exception:  # pandas, numpy and pyarrow raise a dozen kinds for values that a dtype can't hold
            raise DataError(f"column {self.name!r} must hold values of its dtype {self.dtype[:60]!r}") from None
        return self

    @property
    def nominal(self) -> bool:
        """Whether its numbers are codes without an order."""
        return False

    @property
    def modelled(self) -> bool:
        """Whether rows differ in it in a way that can be learned."""
        return True

    @property
    def counts(self) -> int | None:
        """How many codes it has; None where it is a quantity."""
        return None

    @property
    @abstractmethod
    def shown(self) -> str:
        """What its values are, in a few words."""

    @abstractmethod
    def _extremes(self) -> Numbers:
        """Numbers to decode, as a check."""

    @abstractmethod
    def _to_numbers(self, series: pd.Series) -> Numbers:
        """Values without missing ones as numbers; may raise whatever pandas raises for values of another kind."""

    @abstractmethod
    def _from_numbers(self, numbers: Numbers) -> Any:
        """n values of the original kind from n finite numbers."""

    def encode(self, series: pd.Series) -> Numbers:
        """Values as numbers (n, float64), NaN where missing. The dtype need not be the same, nor the range.

        Raises:
            DataError: a value that no such column can have.
        """
        present = ~series.isna().to_numpy(dtype=bool)
        numbers = np.full(len(series), np.nan)
        try:
            numbers[present] = self._to_numbers(series[present])
        except QsynthError:
            raise
        except Exception:  # as above: each kind of value fails in a way of its own
            kind, found = type(self).model_fields["kind"].default, series[present].iloc[0]
            raise DataError(
                f"column {self.name!r} must hold values of kind {kind}; got {str(found)[:40]!r} ({series.dtype})"
            ) from None
        return numbers

    def decode(self, numbers: Numbers) -> pd.Series:
        """Numbers (n, NaN where missing) as a series of the original dtype, within the observed range and steps.

        Raises:
            DataError: a missing value in a column that had none.
        """
        absent = np.isnan(numbers)
        if absent.any() and self.missing == 0.0:
            raise DataError(f"column {self.name!r} must have no missing values, as it had none; got {absent.sum()}")
        values = self._from_numbers(np.where(absent, self._extremes()[:1].sum(), numbers))
        return restored(values, absent, self.dtype, self.missing_as, self.name)

    def check(self, series: pd.Series) -> None:
        """Whether a column has the dtype, the values and the steps that this one says.

        Raises:
            DataError: it has not; names the first value that does not fit.
        """
        if dtype_of(self.dtype) != series.dtype and str(series.dtype) != self.dtype:
            raise DataError(f"column {self.name!r} must be of dtype {self.dtype}; got {series.dtype}")
        again = self.decode(self.encode(series)).to_numpy(dtype=object)
        for row, (value, coded) in enumerate(zip(series.to_numpy(dtype=object), again, strict=True)):
            if not (pd.isna(value) or value == coded):
                raise DataError(f"column {self.name!r} must hold {self.shown}; got {str(value)[:40]!r} in row {row}")


def common(series: pd.Series) -> dict[str, Any]:
    """The fields that all kinds of columns have, for this series."""
    name: Any = series.name
    return {
        "name": int(name) if isinstance(name, int | np.integer) and not isinstance(name, bool) else name,
        "dtype": dtype_text(series.dtype),
        "missing": float(series.isna().mean()) if len(series) else 0.0,
        "missing_as": missing_as(series),
    }

"""Every kind of column."""

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from qsynth.tables.codes import BooleanColumn, CategoryColumn
from qsynth.tables.column import BaseColumn, Numbers
from qsynth.tables.dates import DateColumn
from qsynth.tables.ids import IdColumn
from qsynth.tables.quantities import IntegerColumn, NumberColumn

Varying = Annotated[
    NumberColumn | IntegerColumn | BooleanColumn | CategoryColumn | DateColumn, Field(discriminator="kind")
]


class ConstantColumn(BaseColumn):
    """One value in all rows, or none.

    Attributes:
        like: the column of another kind that the value would be of.
        number: the value, in that column's code; None when it is missing in all rows.
    """

    kind: Literal["constant"] = "constant"
    like: Varying
    number: float | None

    @property
    def modelled(self) -> bool:
        return False

    @property
    def value(self) -> Any:
        """What all rows hold."""
        return self.like.decode(self._extremes()).iloc[0]

    @property
    def shown(self) -> str:
        return "no values" if self.number is None else f"{self.value} in all rows"

    def _extremes(self) -> Numbers:
        return np.array([np.nan if self.number is None else self.number])

    def _to_numbers(self, series: pd.Series) -> Numbers:
        return self.like.encode(series)

    def _from_numbers(self, numbers: Numbers) -> Any:
        return self.decode(numbers)

    def decode(self, numbers: Numbers) -> pd.Series:
        return self.like.decode(np.repeat(self._extremes(), len(numbers)))


Column = Annotated[
    NumberColumn | IntegerColumn | BooleanColumn | CategoryColumn | DateColumn | ConstantColumn | IdColumn,
    Field(discriminator="kind"),
]
KINDS = ("number", "integer", "boolean", "category", "date", "constant", "id")

__all__ = [
    "KINDS",
    "BaseColumn",
    "BooleanColumn",
    "CategoryColumn",
    "Column",
    "ConstantColumn",
    "DateColumn",
    "IdColumn",
    "IntegerColumn",
    "NumberColumn",
    "Numbers",
]

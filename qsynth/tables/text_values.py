"""Columns of text that are numbers or truths, as such; what stands for a missing value, as missing."""

import re

import numpy as np
import pandas as pd

from qsynth.tables.remark import Remark

MISSING = ("", "NA", "N/A", "#N/A", "n/a", "na", "<NA>", "NaN", "nan", "-nan", "null", "NULL", "None", "NaT", "?")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?i:inf|infinity)"
_WHOLE = r"[+-]?\d{1,19}"
_ZEROS = r"[+-]?0\d+"
_THOUSANDS = r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d+)?)"
_DECIMAL_COMMA = r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?(?:[eE][+-]?\d+)?"


def typed(frame: pd.DataFrame, separator: str, target: str | None) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """A table of text with columns of numbers, truths and text.

    Whole numbers with gaps are ``Int64``, truths with gaps ``boolean``, so that they are written as they were read.

    Args:
        frame: all of dtype ``str``.
        separator: between fields; with any but a comma, a number's comma is that of decimals.
        target: the column whose text is taken as it is: only an empty field is missing.
    """
    remarks = []
    columns = {name: _Text(frame[name], keep=name == target) for name in frame.columns}
    # 1,234 is ambiguous: it is what the others are.
    decimal = separator != "," or any(column.only_decimal for column in columns.values())
    made: dict[str, pd.Series] = {}
    for name, column in columns.items():
        made[name], remark = column.typed(decimal=decimal)
        if remark:
            remarks.append(Remark(remark, name))
    return pd.DataFrame(made), tuple(remarks)


class _Text:
    """One column of text."""

    def __init__(self, series: pd.Series, *, keep: bool) -> None:
        self.raw, stripped = series, series.str.strip()
        self.missing = stripped.isin(MISSING).to_numpy(dtype=bool)
        self.present = stripped[~self.missing]
        if keep and not self.all(_NUMBER):
            self.missing = (stripped == "").to_numpy(dtype=bool)
            self.present = stripped[~self.missing]

    def all(self, pattern: str) -> bool:
        return bool(len(self.present)) and bool(self.present.str.fullmatch(pattern).all())

    @property
    def only_decimal(self) -> bool:
        """Whether it has numbers whose commas can't be those of thousands."""
        return self._commas() and self.all(_DECIMAL_COMMA) and not self.all(_THOUSANDS)

    def _commas(self) -> bool:
        return bool(self.present.str.contains(",", regex=False).any())

    def typed(self, *, decimal: bool) -> tuple[pd.Series, str]:
        """The column as what it holds, and a remark."""
        if not len(self.present):
            return pd.Series(np.nan, index=self.raw.index), ""
        if self.present.isin(["True", "False"]).all():
            return self._filled((self.present == "True").to_numpy(dtype=bool), "bool", "boolean"), ""
        if self.all(_NUMBER):
            if self.present.str.fullmatch(_ZEROS).any():
                return self._text(), "numbers with leading zeros are read as text"
            return self._numbers(self.present), ""
        if self._commas():
            if not decimal and self.all(_THOUSANDS):
                return self._numbers(self.present.str.replace(",", "")), "commas are read as those of thousands"
            if self.all(_DECIMAL_COMMA):
                plain = self.present.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
                return self._numbers(plain), "commas are read as those of decimals"
        return self._text(), ""

    def _numbers(self, present: pd.Series) -> pd.Series:
        if bool(present.str.fullmatch(_WHOLE).all()):
            whole = [int(value) for value in present]
            if min(whole) >= -(2**63) and max(whole) < 2**63:
                return self._filled(np.array(whole, dtype=np.int64), "int64", "Int64")
            if min(whole) >= 0 and max(whole) < 2**64:
                return self._filled(np.array(whole, dtype=np.uint64), "uint64", "UInt64")
            return self._text()
        if bool(present.str.fullmatch(r"[+-]?\d{20,}").any()):
            return self._text()
        values = np.full(len(self.raw), np.nan)
        values[~self.missing] = [float(value) for value in present]
        return pd.Series(values, index=self.raw.index)

    def _filled(self, values: np.ndarray, dtype: str, with_gaps: str) -> pd.Series:
        if not self.missing.any():
            return pd.Series(values, index=self.raw.index, dtype=dtype)
        filled = np.zeros(len(self.raw), dtype=values.dtype)
        filled[~self.missing] = values
        gaps: pd.Series = pd.Series(filled, index=self.raw.index, dtype=with_gaps).mask(self.missing)
        return gaps

    def _text(self) -> pd.Series:
        """As it was read, with the spaces around it."""
        kept: pd.Series = self.raw.mask(self.missing)
        return kept


def is_number(text: str) -> bool:
    """Whether a field is a number with a point."""
    return re.fullmatch(_NUMBER, text.strip()) is not None


def may_be_number(text: str) -> bool:
    """Whether a field is a number, with a point or a comma."""
    return is_number(text) or re.fullmatch(_DECIMAL_COMMA, text.strip()) is not None

"""Rows of a table as numbers that classifiers and distances take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsynth.tables.columns import Column
from qsynth.tables.schema import UNLABELLED, Schema

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_LEVELS = 30
FURTHEST = 50.0
NO_ORDER = ("category", "boolean", "constant")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One column of a table as columns ``start`` to ``stop`` of a matrix.

    A number is ``(x - centre) / width`` and an indicator of missing values, for which 0 stands. Anything without an
    order is an indicator for each level, one for other levels and one for missing values, all over the square root of
    2: two rows of different levels are 1 apart.

    Attributes:
        levels: texts of the most frequent real values, at most 30; empty for a number.
    """

    column: Column
    nominal: bool
    start: int
    stop: int
    centre: float = 0.0
    width: float = 1.0
    levels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The column's name, as text."""
        return str(self.column.name)

    def encode(self, series: "pd.Series[Any]") -> Floats:
        """The block's columns, ``n x (stop - start)``."""
        block = np.zeros((len(series), self.stop - self.start))
        if self.nominal:
            codes = level_codes(series, self.levels)
            block[np.arange(len(series)), codes] = np.sqrt(0.5)
            return block
        values = numeric(series, self.column)
        known = np.isfinite(values)
        block[known, 0] = np.clip(values[known] / self.width - self.centre / self.width, -FURTHEST, FURTHEST)
        block[~known, 1] = 1.0
        return block


@dataclass(frozen=True)
class Features:
    """How rows become a matrix ``n x width``: every column but ids, scaled as real rows are.

    Attributes:
        target: the block of what is to be predicted; None: nothing is.
        classes: texts of the target's classes in real rows, most frequent first; empty where it is a number.
    """

    blocks: tuple[Block, ...]
    target: Block | None
    classes: tuple[str, ...]

    @classmethod
    def of(cls, real: pd.DataFrame, schema: Schema) -> "Features":
        """Levels, centres and widths of real rows."""
        blocks: list[Block] = []
        start = 0
        for column in schema.columns:
            if column.kind == "id":
                continue
            series = real[column.name]
            # A target of classes may be numbers.
            nominal = column.kind in NO_ORDER or (column.name == schema.target and schema.classes != UNLABELLED)
            if nominal:
                levels = tuple(levels_of(series)[:MAX_LEVELS])
                block = Block(column=column, nominal=True, start=start, stop=start + len(levels) + 2, levels=levels)
            else:
                centre, width = _centre_and_width(numeric(series, column))
                block = Block(column=column, nominal=False, start=start, stop=start + 2, centre=centre, width=width)
            blocks.append(block)
            start = block.stop
        target = next(
            (each for each in blocks if schema.target is not None and each.column.name == schema.target), None
        )
        classes = tuple(levels_of(real[schema.target])) if target is not None and target.nominal else ()
        return cls(tuple(blocks), target, classes)

    def matrix(self, frame: pd.DataFrame) -> Floats:
        """All blocks, ``n x width``."""
        return np.hstack([np.zeros((len(frame), 0)), *(each.encode(frame[each.column.name]) for each in self.blocks)])

    def inputs(self, matrix: Floats) -> Floats:
        """A matrix without the target's block."""
        if self.target is None:
            return matrix
        return np.delete(matrix, np.s_[self.target.start : self.target.stop], axis=1)

    def answers(self, frame: pd.DataFrame) -> Floats:
        """What is to be predicted, ``n``: numbers, or indices into ``classes``; NaN where it is missing or unknown."""
        if self.target is None:
            return np.full(len(frame), np.nan)
        series = frame[self.target.column.name]
        if not self.classes:
            return numeric(series, self.target.column)
        codes = level_codes(series, self.classes).astype(np.float64)
        return np.where(codes < len(self.classes), codes, np.nan)


def numeric(series: "pd.Series[Any]", column: Column) -> Floats:
    """A column's values as numbers, ``n``; NaN where there is none."""
    try:
        values = np.asarray(column.encode(series), dtype=np.float64)
    except (ValueError, TypeError):  # rows from elsewhere may hold what the column does not
        values = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def levels_of(series: "pd.Series[Any]") -> list[str]:
    """Texts of the values that there are, most frequent first, then in their order."""
    counts = pd.Series(_texts(series.dropna()), dtype=object).value_counts()
    return [str(level) for level, _ in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))]


def level_codes(series: "pd.Series[Any]", levels: Sequence[str]) -> Ints:
    """Places in ``levels``, ``n``; their number: another value; one more: missing."""
    places = {level: place for place, level in enumerate(levels)}
    codes = np.full(len(series), len(levels) + 1, dtype=np.int64)
    known = series.notna().to_numpy()
    codes[known] = [places.get(text, len(levels)) for text in _texts(series[known])]
    return codes


def _texts(known: "pd.Series[Any]") -> list[str]:
    return [_text(value) for value in known.to_list()]


def _text(value: Any) -> str:
    """The same for 1, 1.0 and "1", so that a missing value elsewhere in a column changes no level."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _centre_and_width(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    largest = float(np.abs(known).max(initial=0.0)) or 1.0
    scaled = known / largest
    if not len(scaled):
        return 0.0, 1.0
    deviation = float(scaled.std())
    return float(scaled.mean()) * largest, (deviation if deviation > 1e-12 else 1.0) * largest

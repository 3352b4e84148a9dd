"""One column, real beside synthetic."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from qsynth.quality.features import Block, Floats, level_codes, numeric

MOST_BINS, FEWEST_BINS = 24, 6
MAX_BARS = 10
LEVELS, NUMBERS = "total variation", "Kolmogorov-Smirnov"


@dataclass(frozen=True, kw_only=True)
class ColumnView:
    """What a column looks like on both sides.

    Attributes:
        distance: Kolmogorov-Smirnov statistic of numbers, total variation of levels, of the known values; None: a side
            has none.
        floor: the same of two samples of real rows.
        means: of numbers, real and synthetic, in the column's own unit (a date's: its number).
        missing: shares of missing values, real and synthetic.
        places: what the shares below are of: texts of levels, or the edges of bins as texts.
        edges: of bins, one more than shares; empty for levels.
        shares: real and synthetic.
    """

    name: str
    kind: str
    measure: str
    distance: float | None
    floor: float | None
    means: tuple[float | None, float | None]
    missing: tuple[float, float]
    places: tuple[str, ...]
    edges: tuple[float, ...]
    shares: tuple[tuple[float, ...], tuple[float, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def view_column(
    block: Block, real: pd.DataFrame, synthetic: pd.DataFrame, distances: Sequence[float | None]
) -> ColumnView:
    """A column of real and synthetic rows.

    Args:
        distances: of the synthetic rows, and of real ones in their place (see :func:`distance`).
    """
    sides = [frame[block.column.name] for frame in (real, synthetic)]
    missing = [float(side.isna().mean()) if len(side) else 0.0 for side in sides]
    means: list[float | None] = [None, None]
    edges: tuple[float, ...] = ()
    places: tuple[str, ...]
    if block.nominal:
        n_levels = len(block.levels)
        counts = [np.bincount(level_codes(side, block.levels), minlength=n_levels + 2) for side in sides]
        order = [*range(min(n_levels, MAX_BARS))]
        rest = [each[len(order) : n_levels + 1].sum() for each in counts]
        shares = [np.append(each[order], more) for each, more in zip(counts, rest, strict=True)]
        places = (*(block.levels[place] for place in order), "(others)")
        if not any(rest):
            shares, places = [each[:-1] for each in shares], places[:-1]
    else:
        values = [numeric(side, block.column) for side in sides]
        known = [side[np.isfinite(side)] for side in values]
        means = [_mean(side) for side in known]
        grid = _edges(known[0] if len(known[0]) else known[1])
        shares = [np.histogram(np.clip(side, grid[0], grid[-1]), grid)[0] for side in known]
        edges, places = tuple(grid.tolist()), _places(block, grid)
    of_real, of_synthetic = (tuple((side / max(side.sum(), 1)).tolist()) for side in shares)
    return ColumnView(
        name=block.name,
        kind=block.column.kind,
        measure=LEVELS if block.nominal else NUMBERS,
        distance=distances[0],
        floor=distances[1],
        means=(means[0], means[1]),
        missing=(missing[0], missing[1]),
        places=places,
        edges=edges,
        shares=(of_real, of_synthetic),
    )


def distance(block: Block, first: pd.DataFrame, second: pd.DataFrame) -> float | None:
    """Of a column's known values: Kolmogorov-Smirnov for numbers, total variation for levels; None without any."""
    sides = [frame[block.column.name] for frame in (first, second)]
    if block.nominal:
        shares = []
        for side in sides:
            counts = np.bincount(level_codes(side, block.levels), minlength=len(block.levels) + 2)[:-1]
            if not counts.sum():
                return None
            shares.append(counts / counts.sum())
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    values = [numeric(side, block.column) for side in sides]
    known = [side[np.isfinite(side)] for side in values]
    if not all(len(side) for side in known):
        return None
    grid = np.sort(np.concatenate(known))
    below = [np.searchsorted(np.sort(side), grid, side="right") / len(side) for side in known]
    return float(np.abs(below[0] - below[1]).max())


def _mean(values: Floats) -> float | None:
    with np.errstate(over="ignore"):
        mean = float(values.mean()) if len(values) else math.nan
    return mean if math.isfinite(mean) else None


def _edges(values: Floats) -> Floats:
    """Bins over the values' range and a tenth of it on each side."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    margin = (high - low) / 10 or max(abs(low), abs(high)) / 10 or 0.5
    if not math.isfinite(margin):
        margin = 0.0
    low, high = np.clip([low - margin, high + margin], -1e300, 1e300)
    n_bins = int(np.clip(1.5 * np.sqrt(len(values)), FEWEST_BINS, MOST_BINS))
    grid: Floats = np.linspace(low, high, n_bins + 1)
    return grid if np.all(np.diff(grid) > 0) else np.linspace(0, 1, n_bins + 1)


def _places(block: Block, grid: Floats) -> tuple[str, ...]:
    """The first and the last edge and the one in the middle, as people write them."""
    chosen = grid[[0, len(grid) // 2, -1]]
    if block.column.kind == "date":
        try:
            return tuple(str(value)[:10] for value in block.column.decode(chosen).to_list())
        except (ValueError, OverflowError):  # beyond the calendar
            return ("", "", "")
    return tuple(f"{value:.4g}" for value in chosen)

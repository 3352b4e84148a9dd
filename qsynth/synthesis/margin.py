"""One column's distribution, as a map between its values and shares that neither loses a value nor makes one up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from qsynth.data.knots import read_knots

MOST_KNOTS = 128
FEW_VALUES = 20  # a column with no more distinct values has these and none between them
ATOM_SHARE = 0.05  # of the rows: a value that many share
MOST_SMOOTHED = 1000  # rows; more are smooth enough
REPLICATES = 15  # of a row, spread by the kernel
FULL_RANGE = 1.34  # quartiles of the standard normal distribution lie so far apart

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Margin:
    """Value to share of the rows below, and back: a quantile function of straight pieces.

    A value that many rows share is a flat piece: on the way there such rows spread evenly over it, on the way back all
    of it is that value. So codes, counts and columns with many zeros go through like any other. Between values of a
    continuous column shares are interpolated after smoothing by a normal kernel of Silverman's width, shrunk to the
    rows' own variance [Silverman 1986, section 6.4.1]; no value leaves the range of the column.

    Attributes:
        values: knots, ascending; a flat piece's ends are equal.
        shares: of the rows below the knots, ascending from 0 to 1.
    """

    values: Floats
    shares: Floats

    @classmethod
    def fit(cls, values: Floats, weights: Floats, *, discrete: bool, low: float, high: float) -> Self:
        """From weighted values (``n``, finite).

        Args:
            discrete: whether every value is one that many rows share.
            low, high: the column's range, which nothing leaves.
        """
        found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        mass = np.bincount(inverse, weights=weights)
        atom = np.full(len(found), discrete) | ((counts > 2) & (mass >= ATOM_SHARE * mass.sum()))
        points, loads = found[~atom], mass[~atom]
        if 1 < len(points) <= MOST_SMOOTHED:
            total = loads.sum()
            points, loads = _smoothed(points, loads)
            inside = (points >= low) & (points <= high)
            points, loads = points[inside], loads[inside] * total / loads[inside].sum()
        values = np.concatenate([points, found[atom]])
        loads, atoms = np.concatenate([loads, mass[atom]]), np.repeat([False, True], [len(points), int(atom.sum())])
        order = np.argsort(values, kind="stable")
        values, loads, atoms = values[order], loads[order] / loads.sum(), atoms[order]
        above = np.cumsum(loads)
        middle = above - loads / 2
        kept = atoms.copy()
        if not atoms.all():
            grid = np.linspace(0, 1, MOST_KNOTS)
            loose = np.flatnonzero(~atoms)
            kept[loose[np.unique(np.abs(middle[loose][None] - grid[:, None]).argmin(axis=1))]] = True
            kept[[loose[0], loose[-1]]] = True
        width = 1 + atoms[kept].astype(int)
        knots = np.repeat(values[kept], width)
        shares = np.repeat(middle[kept], width)
        last = np.cumsum(width) - 1
        first, half = last - width + 1, np.where(atoms[kept], loads[kept] / 2, 0)
        shares[first] -= half
        shares[last] += half
        shares[0], shares[-1] = 0.0, 1.0
        return cls(knots, np.maximum.accumulate(shares))

    def forward(self, values: Floats, place: Floats) -> Floats:
        """Shares of values (``n``); ``place`` (``n``, in 0..1) says where on its flat piece a value comes to lie."""
        left, right = (np.searchsorted(self.values, values, side=side) for side in ("left", "right"))
        last = len(self.values) - 1
        low, high = self.shares[np.minimum(left, last)], self.shares[np.clip(right - 1, 0, last)]
        between = np.interp(values, self.values, self.shares)
        return np.where(right > left, low + place * (high - low), between)

    def inverse(self, shares: Floats) -> Floats:
        """Values of shares (``n``, in 0..1)."""
        right = np.clip(np.searchsorted(self.shares, shares, side="right"), 1, max(1, len(self.values) - 1))
        if len(self.values) == 1:
            return np.full(len(shares), self.values[0])
        low, high = self.shares[right - 1], self.shares[right]
        step = np.where(high > low, (shares - low) / np.where(high > low, high - low, 1.0), 0.0)
        left, end = self.values[right - 1], self.values[right]
        return np.minimum(left + step.clip(0, 1) * (end - left), end)  # rounding may go beyond the end

    def to_dict(self) -> dict[str, list[float]]:
        """JSON-serialisable, lossless state."""
        return {"values": self.values.tolist(), "shares": self.shares.tolist()}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The margin that :meth:`to_dict` described.

        Raises:
            ValueError, TypeError or KeyError: the state isn't one of those.
        """
        return cls(*read_knots(state, ("values", "shares"), strictly=False))


def _smoothed(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Each value spread by a normal kernel, all of them with the mean and variance that they had."""
    mean = np.average(values, weights=weights)
    deviation = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    quartiles = np.percentile(values, [25, 75])
    spread = min(deviation, float(quartiles[1] - quartiles[0]) / FULL_RANGE) or deviation
    n_effective = weights.sum() ** 2 / (weights**2).sum()
    width = 0.9 * spread * n_effective**-0.2
    shrunk = deviation / np.hypot(deviation, width) if deviation > 0 else 1.0
    kernel = ndtri((np.arange(REPLICATES) + 0.5) / REPLICATES)
    spread_out = mean + shrunk * (values[:, None] - mean + width * kernel)
    return spread_out.ravel(), np.repeat(weights / REPLICATES, REPLICATES)

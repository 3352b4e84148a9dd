"""One column's distribution, as a map between its values and normal scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtri

from qsynth.data.knots import read_knots

MAX_KNOTS = 33
DECIMALS = 9
BISECTIONS = 60

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Marginal:
    """Value to normal score and back: the probability integral transform, followed by the normal quantile function.

    The score of a value is ``Phi^-1(F(value))`` with F the empirical distribution (mid-ranks), thinned to at most 33
    knots, so that a few rows do not leave their spacing in what is generated. Between knots the way back is the
    monotone cubic of Fritsch & Butland, "A method for constructing local monotone piecewise cubic interpolants", SIAM
    J. Sci. Stat. Comput. 5, 300 (1984); beyond them it goes on as a straight line with the outermost secant's slope, so
    that no two values share a score. A column with one value has one knot: its score is 0, the way back that value.

    Attributes:
        values: knots, strictly ascending.
        scores: of the knots, strictly ascending.
    """

    values: Floats
    scores: Floats

    @classmethod
    def fit(cls, column: Floats) -> Self:
        """Of a standardised column (n values); what differs by less than 1e-9 counts as equal."""
        values, counts = np.unique(np.round(column, DECIMALS), return_counts=True)
        if len(values) == 1:
            return cls(values, np.zeros(1))
        shares = (np.cumsum(counts) - counts / 2) / len(column)
        wanted = np.linspace(shares[0], shares[-1], MAX_KNOTS)
        kept = np.unique([np.abs(shares - share).argmin() for share in wanted])
        return cls(values[kept], ndtri(shares[kept]))

    def forward(self, column: Floats) -> Floats:
        """Scores of values (n)."""
        if len(self.values) == 1:
            return np.zeros_like(column)
        between = np.clip(column, self.values[0], self.values[-1])
        right = np.clip(np.searchsorted(self.values, between, side="right"), 1, len(self.values) - 1)
        low, high = self.scores[right - 1], self.scores[right]
        curve = self._curve()
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = curve(middle) <= between
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        first, last = self._slopes()
        outside = np.minimum(column - self.values[0], 0) / first + np.maximum(column - self.values[-1], 0) / last
        scores: Floats = (low + high) / 2 + outside
        return scores

    def inverse(self, scores: Floats) -> Floats:
        """Values of scores (n)."""
        if len(self.values) == 1:
            return np.full_like(scores, self.values[0])
        first, last = self._slopes()
        outside = np.minimum(scores - self.scores[0], 0) * first + np.maximum(scores - self.scores[-1], 0) * last
        values: Floats = self._curve()(np.clip(scores, self.scores[0], self.scores[-1])) + outside
        return values

    def to_dict(self) -> dict[str, list[float]]:
        """JSON-serialisable, lossless state."""
        return {"values": self.values.tolist(), "scores": self.scores.tolist()}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The marginal that :meth:`to_dict` described.

        Raises:
            ValueError, TypeError or KeyError: the state isn't one of those.
        """
        return cls(*read_knots(state, ("values", "scores"), strictly=True))

    def _curve(self) -> PchipInterpolator:
        """Score to value between the outermost knots."""
        return PchipInterpolator(self.scores, self.values)

    def _slopes(self) -> tuple[float, float]:
        """Value per score beyond the first knot, and beyond the last."""
        (v1, v2), (s1, s2) = np.diff(self.values)[[0, -1]], np.diff(self.scores)[[0, -1]]
        return float(v1 / s1), float(v2 / s2)

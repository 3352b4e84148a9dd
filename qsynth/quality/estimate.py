"""A number of rows, and how far other rows like them could have moved it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z = 1.959964  # of 95 %
N_DRAWS = 400


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval.

    Attributes:
        interval: low and high; None: none that is honest.
    """

    value: float
    interval: tuple[float, float] | None = None


def area(of_first: list[Floats], of_second: list[Floats]) -> Estimate:
    """Area under the ROC curve, mean over folds, with DeLong's interval (DeLong et al., 1988) over the rows.

    Args:
        of_first, of_second: of each fold, scores of its rows of either side; those of the second should be higher.

    No interval where no two rows are out of order, or a side of a fold has one row.
    """
    areas, variances = [], []
    for low, high in zip(of_first, of_second, strict=True):
        above = (high[:, None] > low[None]) + 0.5 * (high[:, None] == low[None])
        areas.append(float(above.mean()))
        sides = [above.mean(axis=1), above.mean(axis=0)]
        variances.append(sum(each.var(ddof=1) / len(each) if len(each) > 1 else np.inf for each in sides))
    value, error = float(np.mean(areas)), float(np.sqrt(np.sum(variances))) / len(areas)
    return Estimate(value, _around(value, error, 0.0, 1.0) if 0 < error < np.inf else None)


def share(hits: NDArray[np.bool_]) -> Estimate:
    """Share of rows (``n``), with Wilson's interval (Wilson, 1927)."""
    n, p = len(hits), float(hits.mean())
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * float(np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)))
    return Estimate(p, (min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))))


def mean_share(hits: list[NDArray[np.bool_]]) -> Estimate:
    """Mean of groups' shares of rows; each share's variance is that of two more rows of each kind (Agresti-Coull)."""
    smooth = [(each.sum() + 2, len(each) + 4) for each in hits]
    variance = sum(k / n * (1 - k / n) / n for k, n in smooth) / len(hits) ** 2
    value = float(np.mean([each.mean() for each in hits]))
    return Estimate(value, _around(value, float(np.sqrt(variance)), 0.0, 1.0))


def determination(truth: Floats, predicted: Floats, seed: int) -> Estimate:
    """R^2 of predictions (``n``), with the interval of 400 bootstrap draws of the rows (Efron, 1979)."""
    squares = (truth - predicted) ** 2
    value = 1 - float(squares.sum() / ((truth - truth.mean()) ** 2).sum())
    chosen = np.random.default_rng(seed).integers(0, len(truth), size=(N_DRAWS, len(truth)))
    spread = truth[chosen].var(axis=1) * len(truth)
    drawn = 1 - squares[chosen].sum(axis=1)[spread > 0] / spread[spread > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, (min(float(low), value), max(float(high), value)))


def _around(value: float, error: float, low: float, high: float) -> tuple[float, float]:
    return max(low, value - Z * error), min(high, value + Z * error)

"""How many rows a way to choose them saves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import t

from qsynth.experiment.active_learning.active import ActiveResult
from qsynth.experiment.active_learning.queries import RANDOM

N_RESAMPLES = 1000
CONFIDENCE = 0.95
TILT = 1e-7  # of accuracy a row, which makes a level stretch of a curve have one number of rows for each height

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What a strategy saves, over data sets.

    Attributes:
        factor: rows that random needs for what the strategy reaches, divided by the strategy's; geometric mean over
            data sets. Where random never gets there, its last number of rows counts: then the factor is at least this.
        low, high: its 95 % interval over seeds.
        rows: the same as a difference, mean over data sets.
        rows_low, rows_high: its interval.
        beyond: data sets, of ``n``, on which random never gets there.
        points: balanced accuracy above random's, in points, mean over the rounds with queries and the data sets.
        points_low, points_high: its interval, paired by seed.
    """

    strategy: str
    factor: float
    low: float
    high: float
    rows: float
    rows_low: float
    rows_high: float
    beyond: int
    n: int
    points: float
    points_low: float
    points_high: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


def saving(results: Sequence[ActiveResult], strategy: str) -> Saving:
    """Of a strategy at the end of its rounds, on several data sets.

    Curves are means over seeds, made to rise by isotonic regression, between whose points one interpolates. Seeds are
    drawn anew within each data set, the same for both curves, 1,000 times; percentiles are the interval.
    """
    random = np.random.default_rng(0)
    found = np.array([_rows_needed(each, strategy, None) for each in results])
    own = np.array([_n_rows(each, strategy) for each in results])
    resampled = np.array(
        [
            [_rows_needed(each, strategy, random.integers(len(each.seeds), size=len(each.seeds))) for each in results]
            for _ in range(N_RESAMPLES)
        ]
    )
    factors, rows = _factor(resampled / own), (resampled - own).mean(axis=1)
    points = [_points(each, strategy) for each in results]
    value = float(np.mean([each.mean() for each in points]))
    variances = [each.var(ddof=1) / len(each) for each in points]
    freedom = sum(variances) ** 2 / max(
        1e-300, sum(v**2 / (len(e) - 1) for v, e in zip(variances, points, strict=True))
    )
    half = float(t.ppf(0.5 + CONFIDENCE / 2, max(1.0, freedom)) * np.sqrt(sum(variances)) / len(points))
    quantiles = [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2]
    low, high = np.quantile(factors, quantiles)
    rows_low, rows_high = np.quantile(rows, quantiles)
    return Saving(
        strategy=strategy,
        factor=float(_factor(found[None] / own)[0]),
        low=float(low),
        high=float(high),
        rows=float((found - own).mean()),
        rows_low=float(rows_low),
        rows_high=float(rows_high),
        beyond=sum(bool(need >= each.n_known[-1]) for need, each in zip(found, results, strict=True)),
        n=len(results),
        points=value,
        points_low=value - half,
        points_high=value + half,
    )


def rows_needed(n_known: Sequence[int], random: Floats, n_rows: int, reached: float) -> float:
    """At how many rows a rising curve has the height ``reached`` that another has at ``n_rows``."""
    heights = random + TILT * np.asarray(n_known)
    return float(np.interp(reached + TILT * n_rows, heights, n_known))


def rising(curve: Floats) -> Floats:
    """The rising curve that is nearest (isotonic regression)."""
    return np.asarray(isotonic_regression(curve).x)


def _rows_needed(result: ActiveResult, strategy: str, seeds: NDArray[np.int64] | None) -> float:
    chosen = np.arange(len(result.seeds)) if seeds is None else seeds
    mine, random = (rising(np.array(result.curves[name])[chosen].mean(axis=0)) for name in (strategy, RANDOM))
    return rows_needed(result.n_known, random, result.n_known[len(mine) - 1], float(mine[-1]))


def _n_rows(result: ActiveResult, strategy: str) -> int:
    return result.n_known[len(result.curves[strategy][0]) - 1]


def _points(result: ActiveResult, strategy: str) -> Floats:
    """Of each seed, 100 times the mean over the rounds with queries of the accuracy above random's."""
    mine = np.array(result.curves[strategy])
    random = np.array(result.curves[RANDOM])[:, : mine.shape[1]]
    return np.asarray(100 * (mine - random)[:, 1:].mean(axis=1))


def _factor(ratios: Floats) -> Floats:
    """Geometric means over data sets."""
    return np.asarray(np.exp(np.log(ratios).mean(axis=1)))

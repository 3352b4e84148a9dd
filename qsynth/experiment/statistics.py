"""Gains of one arm over another, with intervals, and what is left of their significance when there are many."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t, wilcoxon

from qsynth.experiment.cell import ArmResult, CellResult

N_RESAMPLES = 2000
CONFIDENCE = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better one arm is than another; accuracies in [0, 1].

    Attributes:
        value: mean over data sets of the gain in balanced accuracy.
        low, high: its 95 % interval, for these data sets.
        p: two-sided, of no gain.
        p_holm: the same, corrected for all comparisons of its table.
        effect: the mean of a seed's gains over their standard deviation (Cohen's d of paired differences).
        won: data sets on which it is positive, of ``n``.
        p_data: two-sided, of no gain on data sets like these (signed ranks over data sets); None with fewer than six.
        share: of the oracle's gain over the bar; None where the oracle gains nothing.
        share_low, share_high: its 95 % interval over seeds.
    """

    value: float
    low: float
    high: float
    p: float
    p_holm: float
    effect: float
    won: int
    n: int
    p_data: float | None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


def gain(cells: Sequence[CellResult], arm: str, over: str) -> Gain:
    """Of an arm over another on several data sets.

    Both are fitted from the same starts on the same real rows, so differences are paired by seed. Seeds share the test
    rows; a cell's variance is therefore that of its seeds' gains over the number of seeds, plus that of the test rows'
    gains over their number (crossed random effects; counting the residual in both is conservative [Owen 2007,
    doi 10.1214/07-AOAS122]). Data sets are independent of each other; degrees of freedom are Welch and Satterthwaite's.
    """
    parts = [_paired(cell, arm, over) for cell in cells]
    values = np.array([part.value for part in parts])
    total = sum(part.variance for part in parts) / len(parts) ** 2
    terms = sum(variance**2 / freedom for part in parts for variance, freedom in part.terms) / len(parts) ** 4
    value, deviation = float(values.mean()), float(np.sqrt(total))
    freedom = total**2 / terms if terms > 0 else 1.0
    half = float(t.ppf(0.5 + CONFIDENCE / 2, freedom)) * deviation
    p = float(2 * t.sf(abs(value) / deviation, freedom)) if deviation > 0 else float(value == 0)
    spread = float(np.sqrt(np.mean([part.seeds.var(ddof=1) for part in parts])))
    return Gain(
        value=value,
        low=value - half,
        high=value + half,
        p=p,
        p_holm=p,
        effect=value / spread if spread > 0 else 0.0,
        won=int((values > 0).sum()),
        n=len(parts),
        p_data=float(wilcoxon(values).pvalue) if len(parts) > 5 and values.any() else None,
    )


def holm(found: Mapping[str, Gain]) -> dict[str, Gain]:
    """The same with p-values corrected for all of them [Holm 1979]."""
    order = sorted(found, key=lambda name: found[name].p)
    corrected, largest = {}, 0.0
    for place, name in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - place) * found[name].p))
        corrected[name] = Gain(**{**asdict(found[name]), "p_holm": largest})
    return {name: corrected[name] for name in found}


def with_share(found: Gain, cells: Sequence[CellResult], arm: str, over: str, oracle: str) -> Gain:
    """With the share of the oracle's gain, and its interval over the seeds (percentiles of 2,000 resamples).

    Without, where the oracle's own gain can't be told from none in this way.
    """
    gains, bests = ([_seed_gains(cell, name, over) for cell in cells] for name in (arm, oracle))
    random = np.random.default_rng(0)
    above, below = np.zeros((2, N_RESAMPLES))
    for resample in range(N_RESAMPLES):
        for one, best in zip(gains, bests, strict=True):
            rows = random.integers(len(one), size=len(one))
            above[resample] += one[rows].mean() / len(cells)
            below[resample] += best[rows].mean() / len(cells)
    tail = 0.5 - CONFIDENCE / 2
    if np.quantile(below, tail) <= 0:
        return found
    low, high = np.quantile(above / below.clip(min=np.finfo(float).tiny), [tail, 1 - tail], method="nearest")
    share = found.value / float(np.mean([best.mean() for best in bests]))
    return Gain(**{**asdict(found), "share": share, "share_low": float(low), "share_high": float(high)})


def steps_to(path: Floats, steps: NDArray[np.int64], target: float) -> float:
    """First of the steps at which a path (``n_looks``) reaches a target; infinite if it does not."""
    reached = np.flatnonzero(path >= target)
    return float(steps[reached[0]]) if len(reached) else float("inf")


@dataclass(frozen=True, eq=False)
class _Paired:
    """One cell: the gain, that of each seed, and its variance's terms with their degrees of freedom."""

    value: float
    seeds: Floats
    terms: tuple[tuple[float, int], ...]

    @property
    def variance(self) -> float:
        return sum(variance for variance, _ in self.terms)


def _paired(cell: CellResult, arm: str, over: str) -> _Paired:
    seeds, labels = _seed_gains(cell, arm, over), np.array(cell.test_labels)
    rows = np.array(cell.arms[arm].rows) - np.array(cell.arms[over].rows)
    classes = np.unique(labels)
    terms = [(float(seeds.var(ddof=1)) / len(seeds), len(seeds) - 1)]
    for label in classes:
        mine = rows[labels == label]
        if len(mine) > 1:
            terms.append((float(mine.var(ddof=1)) / len(mine) / len(classes) ** 2, len(mine) - 1))
    return _Paired(float(seeds.mean()), seeds, tuple(terms))


def _seed_gains(cell: CellResult, arm: str, over: str) -> Floats:
    return _balanced(cell.arms[arm]) - _balanced(cell.arms[over])


def _balanced(result: ArmResult) -> Floats:
    return np.array(result.balanced)

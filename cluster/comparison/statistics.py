"""Statistics of a comparison, after Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
Precipice" (NeurIPS 2021): a study is one of their tasks, a problem one of their runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cluster.comparison.job_result import JobResult

CONFIDENCE = 0.95
N_RESAMPLES = 2000
SEED = 20250
TRIMMED = 0.25

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    def describe(self) -> str:
        """For a table."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def interquartile_mean(scores: Sequence[Floats]) -> Estimate:
    """Mean of the middle half of all scores, with a percentile interval of a stratified bootstrap.

    Args:
        scores: of each study.
    """

    def statistic(*samples: Floats, axis: int = -1) -> Any:
        return stats.trim_mean(np.concatenate(samples, axis=axis), TRIMMED, axis=axis)

    return _resampled(scores, statistic)


def mean(scores: Sequence[Floats]) -> Estimate:
    """Mean of all scores, or of paired differences of scores, with a percentile interval of a stratified bootstrap.

    Args:
        scores: of each study.
    """

    def statistic(*samples: Floats, axis: int = -1) -> Any:
        return np.mean(np.concatenate(samples, axis=axis), axis=axis)

    return _resampled(scores, statistic)


def probability_of_improvement(ours: Sequence[Floats], theirs: Sequence[Floats]) -> Estimate:
    """How likely we are above them on the same problem of a study drawn at random (ties count half), with a percentile
    interval of a bootstrap of the problems, stratified by study.

    Agarwal et al. pair every run with every other one; here both meet the same problems with the same seeds.

    Args:
        ours, theirs: scores of each study, the studies and their problems in the same order.
    """

    def statistic(*samples: Floats, axis: int = -1) -> Any:
        return np.mean([each.mean(axis=axis) for each in samples], axis=0)

    return _resampled([(np.sign(x - y) + 1) / 2 for x, y in zip(ours, theirs, strict=True)], statistic)


def _resampled(samples: Sequence[Floats], statistic: Any) -> Estimate:
    value = float(statistic(*samples))
    if all(len(each) < 2 or np.ptp(each) == 0 for each in samples):
        return Estimate(value, value, value)
    # SciPy wants two observations: one that is alone is itself in every resample.
    doubled = [np.repeat(each, 2) if len(each) < 2 else each for each in samples]
    interval = stats.bootstrap(
        doubled,
        statistic,
        n_resamples=N_RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))


def best_so_far(record: JobResult, iterations: Floats) -> Floats:
    """Validation score of what a rival would return after so many GAN iterations; 0 before the first decision.

    Args:
        iterations: ascending.
    """
    spent = [0, *(at for at, _ in record.curve)]
    scores = np.array([0.0, *(score for _, score in record.curve)])
    found: Floats = scores[np.searchsorted(spent, iterations, side="right") - 1]
    return found


def break_even(training: int, per_use: float, rival_per_use: float) -> float | None:
    """How often an agent must be used until its training has paid off; None if its use saves nothing.

    Args:
        training: GAN iterations that its training took more than the rival's preparation.
        per_use, rival_per_use: GAN iterations to the same score on a new problem.
    """
    saved = rival_per_use - per_use
    return None if saved <= 0 else max(0.0, training / saved)

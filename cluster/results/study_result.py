"""What a study found: every contender's scores on instances that were held out, and where the files are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from cluster.results.device_result import DeviceResult
from cluster.study.run_directory import RunDirectory
from cluster.system.files import read_json_object
from qsynth.errors import QsynthError

AGENT = "agent"  # the contender that the others are measured against
CONFIDENCE = 0.95
BOOTSTRAP_SEED = 20250

Interval = tuple[float, float]


@dataclass(frozen=True)
class ContenderResult:
    """One contender on the held-out instances.

    Attributes:
        name: the contender; the trained policy is called ``"agent"``.
        runs_per_instance: GAN runs it spends on each held-out instance.
        iterations_per_run: GAN iterations of one such run.
        scores: final test score per instance, of the run selected on validation; in [0, 1], more is better.
        curves: validation score at each decision, ``instances x (n_decisions + 1)``; empty when read back from JSON.
        search_iterations: GAN iterations spent to find it before it met these instances; 0 for untuned.
        detail: what it is, in words, e.g. the constants that were chosen.
        fraction_to_best_constants: share of the run after which its mean curve passes the best constants' final score.

    Raises:
        QsynthError: no scores, or a score that is not finite.
    """

    name: str
    runs_per_instance: int
    iterations_per_run: int
    scores: tuple[float, ...]
    curves: tuple[tuple[float, ...], ...]
    search_iterations: int
    detail: str
    fraction_to_best_constants: float | None = None

    def __post_init__(self) -> None:
        if not self.scores or not np.isfinite(self.scores).all():
            raise QsynthError(f"scores of {self.name!r} must be one or more finite numbers; got {self.scores}")

    @property
    def score_mean(self) -> float:
        return float(np.mean(self.scores))

    @property
    def score_sd(self) -> float:
        """Sample standard deviation over instances (``ddof=1``); 0 with one instance."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else 0.0

    @property
    def score_interval(self) -> Interval:
        """95 % interval of the mean: bias-corrected accelerated bootstrap over instances, always the same resamples.

        Scores that are all equal, and a single score, give an interval of no width.
        """
        scores = np.asarray(self.scores, dtype=np.float64)
        if np.ptp(scores) < 1e-12:  # the bootstrap's correction is 0 / 0 there
            return self.score_mean, self.score_mean
        resampled = stats.bootstrap(
            (scores,), np.mean, confidence_level=CONFIDENCE, rng=np.random.default_rng(BOOTSTRAP_SEED)
        )
        return float(resampled.confidence_interval.low), float(resampled.confidence_interval.high)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, without the curves."""
        low, high = self.score_interval
        values: dict[str, Any] = {
            "name": self.name,
            "runs_per_instance": self.runs_per_instance,
            "iterations_per_run": self.iterations_per_run,
            "score_mean": self.score_mean,
            "score_sd": self.score_sd,
            "score_low": low,
            "score_high": high,
            "scores": [float(score) for score in self.scores],
            "search_iterations": self.search_iterations,
            "detail": self.detail,
        }
        if self.fraction_to_best_constants is not None:
            values["fraction_to_best_constants"] = self.fraction_to_best_constants
        return values


@dataclass(frozen=True)
class StudyResult:
    """A study's outcome.

    Attributes:
        study: the study's name.
        contenders: their results on the same held-out instances in the same order.
        paths: where things are, by what they are (run directory, csv, agent, plots, mlflow).
        training: what training the agent took (sampled_steps, trials, seconds, ...).
        device: what the stage on hardware found, in a study that has one.
    """

    study: str
    contenders: tuple[ContenderResult, ...]
    paths: dict[str, str]
    training: dict[str, float]
    device: DeviceResult | None = None

    @property
    def agent(self) -> ContenderResult | None:
        """The trained policy's result, or None in a study without one."""
        return next((contender for contender in self.contenders if contender.name == AGENT), None)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON values, without the curves (the study's CSV has them)."""
        return {**asdict(self), "contenders": [contender.to_dict() for contender in self.contenders]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The outcome that ``to_dict`` wrote, with empty curves.

        Raises:
            QsynthError: a key is missing or has a value of the wrong type; the message names its dotted path.
        """
        try:
            contenders = [{"curves": (), **contender} for contender in values["contenders"]]
            return TypeAdapter(cls).validate_python({**values, "contenders": contenders})
        except (KeyError, TypeError):
            raise QsynthError("contenders of a study result must be a list of mappings") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise QsynthError(f"a study result must have a valid {path}: {message}") from None


def fraction_to_reach(curve_mean: Sequence[float], target: float) -> float | None:
    """Share of the run after which a curve reaches a score.

    Args:
        curve_mean: mean score at each decision, ``n_decisions + 1`` values.
        target: the score to reach.

    Returns:
        The first decision (with linear interpolation between decisions) over ``n_decisions``, in [0, 1]; None if the
        curve stays below ``target``.

    Raises:
        QsynthError: fewer than two values.
    """
    if len(curve_mean) < 2:
        raise QsynthError(f"a curve must have a value before and after a decision; got {len(curve_mean)} value(s)")
    if curve_mean[0] >= target:
        return 0.0
    for decision, (before, after) in enumerate(pairwise(curve_mean)):
        if after >= target:
            return float(decision + (target - before) / (after - before)) / (len(curve_mean) - 1)
    return None


def paired_difference(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """Mean of ``a - b`` over the same instances, with the lower and upper end of its 95 % t interval.

    Differences that are all equal give an interval of no width; one pair gives an unbounded one.

    Raises:
        QsynthError: no scores, or not as many in ``a`` as in ``b``.
    """
    if not len(a) == len(b) > 0:
        raise QsynthError(f"paired scores must be of the same instances; got {len(a)} against {len(b)} scores")
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    mean = float(difference.mean())
    if len(difference) == 1:
        return mean, -float("inf"), float("inf")
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(difference) - 1) * stats.sem(difference))
    return mean, mean - half, mean + half


def result_of(run: RunDirectory) -> StudyResult | None:
    """The result that an earlier attempt finished, if it did."""
    return StudyResult.from_dict(read_json_object(run.result)) if run.result.is_file() else None

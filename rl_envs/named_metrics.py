"""What somebody's own training loop measures, as an agent sees it: by names, on the scales of an observation."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from qsynth.errors import QsynthError, did_you_mean
from qsynth.metrics.registry import METRICS
from qsynth.population.health import AILMENTS, RealRows, ailments
from qsynth.population.training_statistics import TrainingStatistics
from rl_envs import problem
from rl_envs.observation import BUDGET, PROBLEM, LaneStates, feature_names, observe

SCORE = "score"
# What a loop may report of its last stretch of training -> what an observation has of it.
TRAINING = {
    "loss.generator": "loss_generator",
    "loss.critic": "loss_critic",
    "critic.gap": "critic_gap",
    "critic.penalty": "penalty",
    "gradient.generator": "gradient_generator",
    "gradient.critic": "gradient_critic",
    "fake.spread": "spread",
    "fake.saturation": "saturation",
}
UTILITY, RAW = "utility.", "raw."


def metric_names() -> list[str]:
    """What a loop may report."""
    return [SCORE, *TRAINING, *(f"{kind}{metric}" for metric in METRICS for kind in (UTILITY, RAW))]


@dataclass
class NamedMetrics:
    """A trial elsewhere, decision by decision.

    Attributes:
        problem: what is known of it before any training, by the names and on the scales of :mod:`rl_envs.problem`.
    """

    problem: Mapping[str, float] = field(default_factory=dict)
    _best: float = -np.inf
    _utilities: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.problem:
            if name not in problem.NAMES:
                known = did_you_mean(name, problem.NAMES)
                raise QsynthError(f"problem must name what is known before training; got {name!r}.{known}")

    def see(self, metrics: Mapping[str, float], progress: float) -> dict[str, float]:
        """An observation's entries by name, those alone that ``metrics`` tell of; ailments where losses' gradients do.

        Args:
            metrics: by the names of :func:`metric_names`, as they are measured: losses and norms of gradients as means
                since the last decision; ``fake.spread``, the synthetic rows' standard deviation over the real ones';
                scores and utilities in [0, 1], more is better.
            progress: share of the budget used.

        Raises:
            QsynthError: a name that is none, or a value that is no number.
        """
        given = {name: _number(name, value) for name, value in metrics.items()}
        names = list(METRICS)
        score = given.get(SCORE, np.nan)
        self._best = float(np.fmax(self._best, score))
        utilities = {name: given.get(f"{UTILITY}{name}", np.nan) for name in names}
        before, self._utilities = self._utilities, utilities
        told = {field: np.array([given.get(name, np.nan)]) for name, field in TRAINING.items()}
        training, one = TrainingStatistics(**told), np.ones(1)
        moment = LaneStates(
            training=training,
            real_spread=one,
            raw={name: np.array([given.get(f"{RAW}{name}", np.nan)]) for name in names},
            utilities={name: np.array([value]) for name, value in utilities.items()},
            changes={name: np.array([value - before.get(name, value)]) for name, value in utilities.items()},
            score=np.array([score]),
            best=np.array([self._best]),
            values={},
            progress=np.array([progress]),
            ailments=ailments(training, RealRows(one, np.zeros(1)), np.zeros(1)),
            diverged=np.zeros(1),
            problem={name: np.array([self.problem.get(name, np.nan)]) for name in problem.NAMES},
        )
        entries = dict(zip(feature_names({}, names), observe(moment, {}, names)[0].tolist(), strict=True))
        known = {BUDGET, *given, *(f"{PROBLEM}{name}" for name in self.problem), *_followed(given)}
        return {name: value for name, value in entries.items() if name in known}


def _followed(given: Mapping[str, float]) -> list[str]:
    """Entries that others' values tell."""
    found = ["score.now", "score.best"] if SCORE in given else []
    found += [f"change.{name.removeprefix(UTILITY)}" for name in given if name.startswith(UTILITY)]
    needs = ("fake.saturation", "fake.spread", "gradient.generator", "gradient.critic")
    return found + [f"ailment.{name}" for name, need in zip(AILMENTS, needs, strict=False) if need in given]


def _number(name: str, value: float) -> float:
    names = metric_names()
    if name not in names:
        raise QsynthError(f"metrics must have names that agents know; got {name!r}.{did_you_mean(name, names)}")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise QsynthError(f"metric {name} must be a number; got {value!r}") from None

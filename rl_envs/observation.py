"""What an agent sees: named features in a fixed order, scaled to about [-1, 1]."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from qsynth.population.health import AILMENTS
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.space.search_space import SearchSpace
from rl_envs import problem

LIMIT = 2.0
BUDGET, PROBLEM, VALUE = "budget.remaining", "problem.", "hyperparameters."


@dataclass(frozen=True, kw_only=True)
class LaneStates:
    """All lanes at one decision; arrays are of shape lanes.

    Attributes:
        training: statistics of the last advance; None before the first.
        real_spread: standard deviation of the real rows, averaged over features.
        raw: metric values (losses); utilities: the same in [0, 1]; changes: of the utilities since the last decision.
        progress: share of the budget used.
        ailments: name -> whether a lane has it (:mod:`qsynth.population.health`).
        problem: name -> what was known before any training (:mod:`rl_envs.problem`).
    """

    training: TrainingStatistics | None
    real_spread: np.ndarray
    raw: dict[str, np.ndarray]
    utilities: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]
    score: np.ndarray
    best: np.ndarray
    values: dict[str, np.ndarray]
    progress: np.ndarray
    ailments: dict[str, np.ndarray]
    diverged: np.ndarray
    problem: dict[str, np.ndarray]


def feature_names(search_space: SearchSpace, metrics: list[str]) -> list[str]:
    """Names of an observation's entries, in order."""
    names = [BUDGET, "loss.generator", "loss.critic", "critic.gap", "critic.penalty"]
    names += ["gradient.generator", "gradient.critic", "fake.spread", "fake.saturation", "score.now", "score.best"]
    names += [f"{kind}.{metric}" for metric in metrics for kind in ("utility", "change", "raw")]
    names += [f"{VALUE}{name}" for name in sorted(search_space)]
    names += [*(f"ailment.{name}" for name in AILMENTS), "diverged"]
    return [*names, *(f"{PROBLEM}{name}" for name in problem.NAMES)]


def without_feedback(features: Sequence[str]) -> list[str]:
    """Those that are known without looking at the trial: the problem, the budget that is left, and the agent's own
    hyperparameters."""
    return [name for name in features if name == BUDGET or name.startswith((PROBLEM, VALUE))]


def observation_space(search_space: SearchSpace, metrics: list[str]) -> spaces.Box:
    """The space of one trial's observation."""
    return spaces.Box(-LIMIT, LIMIT, (len(feature_names(search_space, metrics)),), np.float32)


def observe(moment: LaneStates, search_space: SearchSpace, metrics: list[str]) -> np.ndarray:
    """Observations, lanes x features, float32; finite whatever happened in a lane."""
    zeros = np.zeros_like(moment.score)
    training = moment.training
    if training is None:
        columns = [2.0 * (1.0 - moment.progress) - 1.0, *[zeros] * 8]
    else:
        columns = [
            2.0 * (1.0 - moment.progress) - 1.0,
            np.tanh(training.loss_generator),
            np.tanh(training.loss_critic),
            np.tanh(3.0 * training.critic_gap),
            np.tanh(training.penalty),
            _log_scaled(training.gradient_generator),
            _log_scaled(training.gradient_critic),
            0.5 * np.log2(np.maximum(training.spread, 1e-3) / np.maximum(moment.real_spread, 1e-3)),
            2.0 * training.saturation - 1.0,
        ]
    columns += [2.0 * moment.score - 1.0, 2.0 * moment.best - 1.0]
    for metric in metrics:
        columns += [2.0 * moment.utilities[metric] - 1.0, np.tanh(5.0 * moment.changes[metric])]
        columns.append(1.0 + np.log10(np.maximum(moment.raw[metric], 1e-3)))
    columns += [2.0 * search_space[name].to_unit(moment.values[name]) - 1.0 for name in sorted(search_space)]
    columns += [moment.ailments[name].astype(float) for name in AILMENTS]
    columns.append(moment.diverged.astype(float))
    columns += [moment.problem[name] for name in problem.NAMES]
    stacked = np.nan_to_num(np.stack(columns, axis=1), nan=0.0, posinf=LIMIT, neginf=-LIMIT)
    return np.asarray(np.clip(stacked, -LIMIT, LIMIT), dtype=np.float32)


def _log_scaled(norm: np.ndarray) -> np.ndarray:
    return np.asarray(np.log10(np.maximum(norm, 1e-6)) / 2.0)

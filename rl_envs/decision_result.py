"""What one decision led to, in every lane."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class DecisionResult:
    """What one decision led to; arrays have a leading lane axis.

    Attributes:
        failed, finished: whether the trial diverged or broke; whether it has used its budget without that.
        training: a :class:`TrainingStatistics` by names, not a number where no training took place.
        ailments: name -> whether training showed it (:mod:`qsynth.population.health`).
        recovered: how each lane was treated before it; "" for not at all.
    """

    observation: np.ndarray
    reward: np.ndarray
    failed: np.ndarray
    finished: np.ndarray
    score: np.ndarray
    raw: dict[str, np.ndarray]
    utilities: dict[str, np.ndarray]
    training: dict[str, np.ndarray]
    ailments: dict[str, np.ndarray]
    recovered: list[str]
    reason: list[str]

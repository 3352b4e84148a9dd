"""How a population's training went."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class TrainingStatistics:
    """Means over the iterations of one advance; each is of shape lanes."""

    loss_generator: np.ndarray
    loss_critic: np.ndarray
    critic_gap: np.ndarray
    penalty: np.ndarray
    gradient_generator: np.ndarray
    gradient_critic: np.ndarray
    spread: np.ndarray
    saturation: np.ndarray

    @classmethod
    def average(cls, parts: Sequence[tuple[int, "TrainingStatistics"]]) -> "TrainingStatistics":
        """The statistics of consecutive advances, given as (iterations, statistics)."""
        total = sum(size for size, _ in parts)
        return cls(
            *(
                np.sum([size / total * getattr(part, field.name) for size, part in parts], axis=0)
                for field in fields(cls)
            )
        )

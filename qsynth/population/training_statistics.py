"""How a population's training went."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
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
    def of(cls, critic: Tensor, generator: Tensor) -> "TrainingStatistics":
        """From the means of a critic's and a generator's statistics (:mod:`qsynth.gan.update`), lanes x 4 each."""
        loss_critic, gap, penalty, gradient_critic = critic.T.cpu().numpy()
        loss, gradient, spread, saturation = generator.T.cpu().numpy()
        return cls(
            loss_generator=loss,
            loss_critic=loss_critic,
            critic_gap=gap,
            penalty=penalty,
            gradient_generator=gradient,
            gradient_critic=gradient_critic,
            spread=spread,
            saturation=saturation,
        )

    @classmethod
    def average(cls, parts: Sequence[tuple[int, "TrainingStatistics"]]) -> "TrainingStatistics":
        """The statistics of consecutive advances, given as (iterations, statistics)."""
        total = sum(size for size, _ in parts)
        means = {
            field.name: np.sum([size / total * getattr(part, field.name) for size, part in parts], axis=0)
            for field in fields(cls)
        }
        return cls(**means)

"""Rewards: what a decision is worth."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from qsynth.config import Config, Kinds


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A decision's effect; arrays are of shape lanes.

    Attributes:
        before, after: composite score at the reference weights; ``after`` is 0 where the trial failed.
        best: the best composite score before the decision, of the untrained start too.
        failed: the trial diverged or broke; its episode ends here.
        raw: metric values (losses) after the decision.
        loss_generator, loss_critic: means over the decision's iterations.
    """

    before: np.ndarray
    after: np.ndarray
    best: np.ndarray
    failed: np.ndarray
    raw: dict[str, np.ndarray]
    loss_generator: np.ndarray
    loss_critic: np.ndarray


class Reward(Config):
    """What a decision's effect is worth; a study names one by its ``kind``."""

    @abstractmethod
    def __call__(self, outcome: Effect) -> np.ndarray:
        """Rewards, of shape lanes."""


class ShortfallGain(Reward):
    """The change of ``-log(1 + slack - score)``: potential-based (Ng, Harada & Russell 1999), so an undiscounted return
    depends on the final and the initial score alone, and no detour pays.

    Gains near the ceiling are worth as much as the large, easy ones at the start, which would drown them otherwise.
    """

    kind: Literal["shortfall_gain"] = "shortfall_gain"
    slack: float = Field(0.1, ge=0.01, le=1)
    failure_penalty: float = Field(0.2, ge=0, le=10)

    def __call__(self, outcome: Effect) -> np.ndarray:
        """Rewards, of shape lanes."""
        gain = _shortfall_gain(outcome.before, outcome.after, self.slack)
        return gain - self.failure_penalty * outcome.failed


class BestGain(Reward):
    """The change of ``-log(1 + slack - best score so far)``: for those who keep a trial's best decision, not its end.

    An undiscounted return is what the best one is worth, and what comes after it costs nothing.
    """

    kind: Literal["best_gain"] = "best_gain"
    slack: float = Field(0.1, ge=0.01, le=1)
    failure_penalty: float = Field(0.2, ge=0, le=10)

    def __call__(self, outcome: Effect) -> np.ndarray:
        """Rewards, of shape lanes."""
        gain = _shortfall_gain(outcome.best, np.maximum(outcome.best, outcome.after), self.slack)
        return gain - self.failure_penalty * outcome.failed


def _shortfall_gain(before: np.ndarray, after: np.ndarray, slack: float) -> np.ndarray:
    """Nothing more is gained above 1, where chance alone takes a score."""
    short_before, short_after = (1.0 + slack - np.minimum(score, 1.0) for score in (before, after))
    return np.asarray(np.log(short_before) - np.log(short_after))


class LiteralComposite(Reward):
    """R = w1 L_QNN + w2 L_Diversity - w3 L_Imbalance + w4 L_GAN, to the letter of the paper that proposed it.

    Read literally the sum pays for a *worse* QNN and for *less* diverse rows, since both are losses with a plus sign.
    It is here for comparison, not for use.
    """

    kind: Literal["literal"] = "literal"
    weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    failure_penalty: float = Field(0.2, ge=0, le=10)

    def __call__(self, outcome: Effect) -> np.ndarray:
        """Rewards, of shape lanes; clipped to +-10."""
        none = np.zeros_like(outcome.after)
        qnn, diversity, imbalance = (outcome.raw.get(name, none) for name in ("utility", "diversity", "balance"))
        w = self.weights
        with np.errstate(invalid="ignore"):  # losses of a trial that explodes may be inf - inf
            gan = outcome.loss_generator + outcome.loss_critic
            total = w[0] * qnn + w[1] * diversity - w[2] * imbalance + w[3] * gan
        bounded = np.clip(np.nan_to_num(total), -10, 10)
        return np.where(outcome.failed, -self.failure_penalty, bounded)


REWARDS: Kinds[Reward] = Kinds("reward")
REWARDS.register("shortfall_gain")(ShortfallGain)
REWARDS.register("best_gain")(BestGain)
REWARDS.register("literal")(LiteralComposite)

RewardConfig = Annotated[Reward, REWARDS]

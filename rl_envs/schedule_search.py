"""Tuned rivals: the best constants, decays, or ratio of two learning rates, by sequential halving."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.space.search_space import SearchSpace, random_values
from rl_envs.agents import MIN_DECAY, Schedule, Shape
from rl_envs.rollout import Assignment

ETA = 4
TRIALS_PER_CANDIDATE = 16
MAX_RATIO = 10.0

Family = Literal["constants", "exponential", "cosine", "ttur"]
Play = Callable[[Callable[[slice], Schedule], list[Assignment]], list[float]]


@dataclass(frozen=True)
class Candidate:
    """A schedule with its mean validation score over all the trials it was given."""

    start: dict[str, float]
    decay: float
    score: float
    shape: Shape = "exponential"

    def schedule(self, name: str) -> Schedule:
        """As an agent."""
        return Schedule(dict(self.start), self.decay, name, self.shape)

    def describe(self) -> str:
        """The values in words."""
        values = ", ".join(f"{name}={value:.3g}" for name, value in sorted(self.start.items()))
        way = {"exponential": "decay", "cosine": "fall as a cosine"}[self.shape]
        return values if self.decay == 1.0 else f"{values}, learning rates {way} to {self.decay:.3g} of that"


def search_schedule(
    space: SearchSpace,
    defaults: dict[str, float],
    instances: list[Instance],
    n_trials: int,
    family: Family,
    seed: int,
    play: Play,
) -> tuple[Candidate, int]:
    """The schedule with the best mean final score on training instances, and the number of trials spent.

    Sequential halving (Karnin et al. 2013; the inner loop of Hyperband): ``n_trials / 16`` random schedules, the
    study's defaults among them, in rungs of equal cost, after each of which the best quarter goes on. Rounding is up,
    so that at least ``n_trials`` are spent. All schedules of a rung meet the same instances and seeds.

    Args:
        family: what is tuned: constants; constants and an exponential or a cosine decay of both learning rates; or, as
            in the two time-scale update rule of Heusel et al. (2017), one learning rate and its ratio to the other.
        play: the scores of assignments under the schedules for them.
    """
    random = np.random.default_rng(seed)
    steps = rungs(n_trials)
    n_candidates, _ = steps[0]
    start, decay = _candidates(family, space, defaults, random, n_candidates)
    shape: Shape = "cosine" if family == "cosine" else "exponential"
    alive = np.arange(n_candidates)
    totals = np.zeros(n_candidates)
    for n_alive, repeats in steps:
        alive = alive[np.argsort(-totals[alive], kind="stable")[:n_alive]]
        meets = [
            Assignment(instances[int(random.integers(len(instances)))], int(random.integers(2**62)))
            for _ in range(repeats)
        ]
        lanes = np.repeat(alive, repeats)

        def agent_for(part: slice, lanes: np.ndarray = lanes) -> Schedule:
            chosen = lanes[part]
            return Schedule({name: values[chosen] for name, values in start.items()}, decay[chosen], shape=shape)

        np.add.at(totals, lanes, play(agent_for, meets * len(alive)))
    best = int(alive[np.argmax(totals[alive])])
    winner = Candidate(
        {name: float(values[best]) for name, values in start.items()},
        float(decay[best]),
        float(totals[best] / sum(repeats for _, repeats in steps)),
        shape,
    )
    return winner, sum(n_alive * repeats for n_alive, repeats in steps)


def rungs(n_trials: int) -> list[tuple[int, int]]:
    """Schedules that are left, and trials of each, in each rung; together they spend ``n_trials`` or a little more."""
    left = [max(ETA, -(-n_trials // TRIALS_PER_CANDIDATE))]
    while left[-1] > ETA:
        left.append(-(-left[-1] // ETA))
    return [(n_alive, math.ceil(n_trials / len(left) / n_alive)) for n_alive in left]


def _candidates(
    family: Family, space: SearchSpace, defaults: dict[str, float], random: np.random.Generator, n: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values by name and decays, ``n`` of each; the study's defaults come first."""
    drawn, decay = random_values(space, random, n), np.ones(n)
    if family == "ttur":
        ratio = MAX_RATIO ** random.uniform(-1, 1, n)
        critic = space["lr_critic"]
        constants = {name: np.full(n, defaults[name]) for name in space}
        paired = np.clip(drawn["lr_generator"] * ratio, critic.low, critic.high)
        drawn = constants | {"lr_generator": drawn["lr_generator"], "lr_critic": paired}
    elif family != "constants":
        decay[1:] = MIN_DECAY ** random.random(n - 1)
    return {name: np.concatenate([[defaults[name]], values[1:]]) for name, values in drawn.items()}, decay

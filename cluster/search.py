"""Tuned rivals: the best constants, and the best exponential decay, by sequential halving."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.search_space import SearchSpace, random_values
from rl_envs.agents import Schedule
from rl_envs.rollout import Assignment, Episode

ETA = 4
RUNGS = 4
MIN_DECAY = 0.01

Play = Callable[[Callable[[slice], Schedule], list[Assignment]], list[Episode]]


@dataclass(frozen=True)
class Candidate:
    """A schedule with its mean validation score over all the trials it was given."""

    start: dict[str, float]
    decay: float
    score: float

    def schedule(self, name: str) -> Schedule:
        """As an agent."""
        return Schedule(dict(self.start), self.decay, name)

    def describe(self) -> str:
        """The values in words."""
        values = ", ".join(f"{name}={value:.3g}" for name, value in sorted(self.start.items()))
        return values if self.decay == 1.0 else f"{values}, learning rates decay to {self.decay:.3g}"


def search_schedule(
    space: SearchSpace,
    defaults: dict[str, float],
    instances: list[Instance],
    n_trials: int,
    decaying: bool,
    seed: int,
    play: Play,
) -> tuple[Candidate, int]:
    """The schedule with the best mean final score on training instances, and the number of trials spent.

    Sequential halving (Karnin et al. 2013; the inner loop of Hyperband): ``n_trials / 16`` random schedules, the
    study's defaults among them, are tried on 4 instances each; in four rungs of equal cost the best quarter goes on,
    each with four times as many trials. Rounding is up, so that at least ``n_trials`` are spent. All schedules of a
    rung meet the same instances and seeds.
    """
    random = np.random.default_rng(seed)
    n_candidates = max(ETA, -(-n_trials // (RUNGS * ETA)))
    drawn = random_values(space, random, n_candidates)
    start = {name: np.concatenate([[defaults[name]], values[1:]]) for name, values in drawn.items()}
    decay = np.ones(n_candidates)
    if decaying:
        decay[1:] = MIN_DECAY ** random.random(n_candidates - 1)
    alive = np.arange(n_candidates)
    totals, counts = np.zeros(n_candidates), np.zeros(n_candidates)
    for rung in range(RUNGS):
        repeats = ETA ** (rung + 1)
        meets = [
            Assignment(instances[int(random.integers(len(instances)))], int(random.integers(2**62)))
            for _ in range(repeats)
        ]
        lanes = np.repeat(alive, repeats)

        def agent_for(part: slice, lanes: np.ndarray = lanes) -> Schedule:
            chosen = lanes[part]
            return Schedule({name: values[chosen] for name, values in start.items()}, decay[chosen])

        episodes = play(agent_for, meets * len(alive))
        np.add.at(totals, lanes, [episode.scores[-1] for episode in episodes])
        np.add.at(counts, lanes, 1)
        if len(alive) == 1:
            break
        keep = -(-len(alive) // ETA)
        alive = alive[np.argsort(-totals[alive] / counts[alive], kind="stable")[:keep]]
    best = int(alive[0])
    found = Candidate(
        {name: float(values[best]) for name, values in start.items()},
        float(decay[best]),
        float(totals[best] / counts[best]),
    )
    return found, int(counts.sum())

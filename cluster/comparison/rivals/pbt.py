"""Population-based training (Jaderberg et al., "Population Based Training of Neural Networks", 2017)."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cluster.comparison.rivals.rival import Plan, Rival, Setting, Stretch
from qsynth.population.snapshot import Snapshot
from qsynth.space.search_space import Float, SearchSpace, adjacent_value, random_point, random_values

N_ROUNDS = 5
QUANTILE = 0.25
RESAMPLED = 0.25
FACTORS = (0.8, 1.2)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A trial of the population, at the end of a round.

    Attributes:
        before: its score at the beginning of the round.
        snapshot: None if it has failed.
    """

    trial: int
    values: dict[str, float]
    before: float = 0.0
    score: float = 0.0
    snapshot: Snapshot | None = None


class Explorer(Protocol):
    """Chooses what to try next in place of the values of a member whose weights are copied."""

    def learn(self, members: list[Member]) -> None:
        """Take in what came of a round."""

    def explore(self, source: Member, random: np.random.Generator) -> dict[str, float]:
        """Values for a copy of ``source``."""


def truncation(setting: Setting, explorer: Explorer) -> Plan:
    """As many members as the budget pays whole runs for; between rounds the last quarter, and whoever has failed, take
    over from copies of members of the first quarter with values that ``explorer`` chooses."""
    random, size = np.random.default_rng(setting.seed), setting.runs
    drawn = random_values(setting.space, random, size)
    members = [Member(trial=trial, values={name: float(drawn[name][trial]) for name in drawn}) for trial in range(size)]
    for number, decisions in enumerate(round_lengths(setting.n_decisions)):
        if number:
            explorer.learn(members)
            members = _exploited(members, explorer, random)
        outcomes = yield [
            Stretch(trial=each.trial, decisions=decisions, values=each.values, start=each.snapshot, keep=True)
            for each in members
        ]
        members = [
            replace(each, before=told.scores[0], score=told.scores[-1], snapshot=told.snapshot)
            for each, told in zip(members, outcomes, strict=True)
        ]


def _exploited(members: list[Member], explorer: Explorer, random: np.random.Generator) -> list[Member]:
    ranked = sorted(members, key=lambda each: (each.snapshot is not None, each.score), reverse=True)
    n_moved = int(len(ranked) * QUANTILE)
    first = [each for each in ranked[: max(1, n_moved)] if each.snapshot is not None]
    last = {each.trial for each in ranked[len(ranked) - n_moved :]} - {each.trial for each in first}
    result = []
    for each in members:
        if first and (each.trial in last or each.snapshot is None):
            source = first[int(random.integers(len(first)))]
            result.append(replace(source, trial=each.trial, values=explorer.explore(source, random)))
        else:
            result.append(each)
    return result


def round_lengths(n_decisions: int) -> list[int]:
    """Decisions of each round; together a run."""
    return [len(part) for part in np.array_split(np.arange(n_decisions), min(N_ROUNDS, n_decisions))]


def perturbed(space: SearchSpace, values: dict[str, float], random: np.random.Generator) -> dict[str, float]:
    """Each value drawn anew with probability 1/4, or else multiplied by 0.8 or 1.2 (integers and choices: the next)."""
    fresh, result = random_point(space, random), {}
    for name, dimension in sorted(space.items()):
        up, again = random.random() < 0.5, random.random() < RESAMPLED
        if again:
            result[name] = fresh[name]
        elif isinstance(dimension, Float):
            result[name] = float(np.clip(values[name] * FACTORS[up], dimension.low, dimension.high))
        else:
            result[name] = float(adjacent_value(dimension, values[name], 1 if up else -1))
    return result


class _Perturbation:
    """PBT's own way, which learns nothing."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space

    def learn(self, members: list[Member]) -> None:
        """Nothing."""

    def explore(self, source: Member, random: np.random.Generator) -> dict[str, float]:
        """The source's values, perturbed."""
        return perturbed(self._space, source.values, random)


PBT = Rival(
    name="PBT",
    plan=lambda setting: truncation(setting, _Perturbation(setting.space)),
    anytime=False,
    detail=f"as many members as runs, {N_ROUNDS} rounds; the last quarter copies the first (Jaderberg et al. 2017)",
)

"""The contenders of a study, measured on its held-out instances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster.results.study_result import ContenderResult, fraction_to_reach
from qsynth.space.search_space import SearchSpace
from rl_envs.agents import Agent, RandomSearch
from rl_envs.rollout import Assignment, Episode


@dataclass(frozen=True)
class Contender:
    """Somebody who tunes.

    Attributes:
        agent_for: the agent for a slice of the assignments.
        runs_per_instance: trials it may choose from, by their validation scores.
        search_iterations: GAN iterations spent before it meets the held-out instances.
    """

    name: str
    agent_for: Callable[[slice], Agent]
    runs_per_instance: int = 1
    search_iterations: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Measured:
    """A contender's result, and the selected episode of each held-out instance."""

    result: ContenderResult
    episodes: list[Episode]


def random_search(space: SearchSpace, runs: int, seed: int) -> Contender:
    """Best of ``runs`` trials with random constants."""
    return Contender(
        name="random search",
        agent_for=lambda part: RandomSearch(space, seed + part.start),
        runs_per_instance=runs,
        detail="constants drawn uniformly on each dimension's own scale; validation selects",
    )


def measure(
    contender: Contender,
    held_out: Sequence[Assignment],
    iterations_per_run: int,
    play: Callable[[Callable[[slice], Agent], list[Assignment]], list[Episode]],
) -> Measured:
    """Play the held-out instances; validation selects among a contender's runs, the test rows give its score.

    Every contender meets the same instances with the same trial seeds (common random numbers); further runs of one
    contender on an instance have seeds of their own.
    """
    runs = contender.runs_per_instance
    assignments = [Assignment(a.instance, a.seed + run) for a in held_out for run in range(runs)]
    episodes = play(contender.agent_for, assignments)
    chosen = []
    for index in range(len(held_out)):
        mine = episodes[index * runs : (index + 1) * runs]
        chosen.append(max(mine, key=lambda episode: float(episode.scores[-1])))
    result = ContenderResult(
        name=contender.name,
        runs_per_instance=runs,
        iterations_per_run=iterations_per_run,
        scores=tuple(float(episode.test_score or 0.0) for episode in chosen),
        curves=tuple(tuple(float(score) for score in episode.scores) for episode in chosen),
        search_iterations=contender.search_iterations,
        detail=contender.detail,
    )
    return Measured(result, chosen)


def with_fraction(agent: ContenderResult, constants: ContenderResult) -> ContenderResult:
    """The agent's result with the share of a run after which its mean validation curve passes the final score of the
    best constants'."""
    target = float(np.mean([curve[-1] for curve in constants.curves]))
    mean_curve = np.mean(agent.curves, axis=0)
    fields: dict[str, Any] = vars(agent) | {"fraction_to_best_constants": fraction_to_reach(mean_curve, target)}
    return ContenderResult(**fields)

"""Who stands where: what a comparison's records say of each method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from cluster.compare import Method
from cluster.comparison import (
    TRIMMED,
    Estimate,
    Floats,
    best_so_far,
    break_even,
    interquartile_mean,
    iterations_to_reach,
    probability_of_improvement,
)
from cluster.record import Record

TARGETS = ("tuned constants", "defaults")


@dataclass(frozen=True)
class Standing:
    """One method.

    Attributes:
        test: budget in runs -> interquartile mean of the test scores of what it would return.
        lead: budget -> probability that one run of the first agent is better than this method with that budget.
        curve: interquartile mean of the best validation score so far at each of ``Standings.grid``; nothing for methods
            that are run once for each budget.
        runs_to_target: budget after which that passes the target; None if it never does.
        uses_to_pay: how often the agent must be used before its training has paid off against this method.
    """

    method: Method
    test: dict[int, Estimate]
    lead: dict[int, Estimate]
    curve: Floats
    runs_to_target: float | None
    uses_to_pay: str

    @property
    def prepared(self) -> int:
        """GAN iterations spent before it met the problems, in all studies together."""
        return sum(self.method.prepared.values())


@dataclass(frozen=True)
class Standings:
    """All methods of a comparison.

    Attributes:
        budgets: in runs.
        iterations: study's name -> GAN iterations of a run.
        grid: budgets, in runs, of the curves.
        target: the score to reach, and whose final one it is.
    """

    methods: tuple[Standing, ...]
    agent: str | None
    budgets: tuple[int, ...]
    iterations: dict[str, int]
    n_problems: int
    grid: Floats
    target: tuple[float, str] | None

    def unbeaten(self) -> list[tuple[Standing, int]]:
        """Methods and budgets over which one run of the agent is not better beyond doubt."""
        return [(each, runs) for each in self.methods for runs, lead in each.lead.items() if lead.low <= 0.5]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "agent": self.agent,
            "budgets": list(self.budgets),
            "problems_per_study": self.n_problems,
            "iterations_per_run": self.iterations,
            "target": None if self.target is None else {"score": self.target[0], "of": self.target[1]},
            "methods": [
                {
                    "name": each.method.name,
                    "detail": each.method.details,
                    "prepared_iterations": each.method.prepared,
                    "test": {str(runs): vars(estimate) for runs, estimate in each.test.items()},
                    "agent_better": {str(runs): vars(estimate) for runs, estimate in each.lead.items()},
                    "runs_to_target": each.runs_to_target,
                    "uses_to_pay": each.uses_to_pay,
                    "spent": _spent(each.method.records),
                }
                for each in self.methods
            ],
            "unbeaten": [[each.method.name, runs] for each, runs in self.unbeaten()],
        }


def standings(
    methods: Sequence[Method],
    agent: str | None,
    budgets: Sequence[int],
    iterations: Mapping[str, int],
    n_decisions: int,
) -> Standings:
    """Rank methods by the test scores that they reach with one run, or with as few as they were given.

    Args:
        agent: the method that the others are compared with, if any.
        iterations: study's name -> GAN iterations of a run.
        n_decisions: points of the curves in each run.
    """
    studies = list(iterations)
    grid = np.arange(1, budgets[-1] * n_decisions + 1) / n_decisions
    ours = next((each for each in methods if each.name == agent), None)
    curves = {each.name: _curve(each, grid, iterations) for each in methods}
    first = budgets[0]
    reference = next((each.name for name in TARGETS for each in methods if each.name == name), None)
    target = None
    if reference is not None:
        target = float(curves[reference][first * n_decisions - 1]), reference
    found = []
    for each in methods:
        marks = sorted({mark for record in each.records for mark in record.marks})
        test = {runs: _test(each, runs, studies) for runs in marks}
        lead = {}
        if ours is not None and each is not ours:
            mine = _test(ours, first, studies)
            lead = {runs: probability_of_improvement(mine, scores) for runs, scores in test.items()}
        reached = None
        if target is not None and len(curves[each.name]):
            reached = iterations_to_reach(grid, curves[each.name], target[0])
        pays = "" if ours is None or each is ours else _pays(ours, each, curves, grid, first * n_decisions, iterations)
        estimates = {runs: interquartile_mean(scores) for runs, scores in test.items()}
        found.append(Standing(each, estimates, lead, curves[each.name], reached, pays))
    found.sort(key=lambda each: -each.test[min(each.test)].value)
    n_problems = len({(record.study, record.problem) for each in methods for record in each.records}) // len(studies)
    return Standings(tuple(found), agent, tuple(budgets), dict(iterations), n_problems, grid, target)


def _test(method: Method, runs: int, studies: Sequence[str]) -> list[Floats]:
    """Test scores at a budget, of each study."""
    return [
        np.array(
            [record.marks[runs].test for record in method.records if record.study == study and runs in record.marks]
        )
        for study in studies
    ]


def _curve(method: Method, grid: Floats, iterations: Mapping[str, int]) -> Floats:
    """Interquartile mean over problems of the best validation score so far."""
    per_problem = [(record.study, record.problem) for record in method.records]
    if len(set(per_problem)) < len(per_problem):
        return np.array([])
    longest = max(max(record.marks) for record in method.records)
    inside = grid[grid <= longest]
    values = np.array([best_so_far(record, inside * iterations[record.study] + 0.5) for record in method.records])
    curve: Floats = stats.trim_mean(values, TRIMMED, axis=0)
    return curve


def _pays(
    agent: Method,
    other: Method,
    curves: Mapping[str, Floats],
    grid: Floats,
    at: int,
    iterations: Mapping[str, int],
) -> str:
    """After how many uses the agent's training has paid off against a method, to the score that the agent reaches."""
    mine, theirs = curves[agent.name], curves[other.name]
    per_run = float(np.mean(list(iterations.values())))
    training = sum(agent.prepared.values()) - sum(other.prepared.values())
    if not sum(agent.prepared.values()):
        return "training unknown"
    if not len(theirs) or len(theirs) < at:
        return ""
    score = float(mine[at - 1])
    mine_runs, their_runs = iterations_to_reach(grid, mine, score), iterations_to_reach(grid, theirs, score)
    assert mine_runs is not None
    if their_runs is None:
        fewest = break_even(training, mine_runs * per_run, float(grid[len(theirs) - 1]) * per_run)
        return "never reaches it" if fewest is None else f"at most {np.ceil(fewest):,.0f}"
    uses = break_even(training, mine_runs * per_run, their_runs * per_run)
    return "never" if uses is None else f"{np.ceil(uses):,.0f}"


def _spent(records: Sequence[Record]) -> dict[str, int]:
    names = records[0].spent if records else {}
    return {name: sum(record.spent[name] for record in records) for name in names}

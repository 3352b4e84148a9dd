"""Who stands where: what a comparison's records say of each rival."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from cluster.comparison.rival_result import RivalResult
from cluster.comparison.statistics import (
    TRIMMED,
    Estimate,
    Floats,
    best_so_far,
    break_even,
    interquartile_mean,
    probability_of_improvement,
)

TARGETS = ("tuned constants", "defaults")


def in_runs(runs: int) -> str:
    """A budget in words."""
    return "1 run" if runs == 1 else f"{runs} runs"


@dataclass(frozen=True)
class Curve:
    """Interquartile mean over problems of the best validation score so far.

    Attributes:
        runs: budgets spent, in runs, ascending: every decision's, or, for rivals that are run once for each budget,
            these.
        scores: at each of them.
    """

    runs: Floats
    scores: Floats

    def reaches(self, target: float) -> float | None:
        """The first budget after which it has reached a score; None if it never does."""
        reached = np.flatnonzero(self.scores >= target)
        return float(self.runs[reached[0]]) if len(reached) else None


@dataclass(frozen=True, kw_only=True)
class RivalSummary:
    """One rival.

    Attributes:
        test: budget in runs -> interquartile mean of the test scores of what it would return.
        by_study: study's name -> budget -> the same in it alone.
        lead: budget -> probability that the first agent with the smallest budget is better than this rival with that.
        families: budget -> studies in which the agent with the smallest has a higher interquartile mean than this one.
        seeds: budget -> problems' numbers under which the agent with the smallest has a higher mean over all studies.
        runs_to_target: budget after which its curve has reached the target; None if it never does.
        uses_to_pay: how often the agent must be used before its training has paid off against this rival, in words.
    """

    rival: RivalResult
    test: dict[int, Estimate]
    by_study: dict[str, dict[int, float]]
    lead: dict[int, Estimate]
    families: dict[int, int]
    seeds: dict[int, int]
    curve: Curve
    runs_to_target: float | None
    uses_to_pay: str

    def spent(self) -> dict[str, int]:
        """On all problems together: iterations, circuits, shots, trials, failed."""
        records = self.rival.records
        return {name: sum(record.spent[name] for record in records) for name in records[0].spent} if records else {}


@dataclass(frozen=True, kw_only=True)
class ComparisonSummary:
    """All rivals of a comparison.

    Attributes:
        budgets: in runs.
        iterations: study's name -> GAN iterations of a run.
        n_problems: of each study.
        target: the score to reach, and whose final one it is.
    """

    rivals: tuple[RivalSummary, ...]
    agent: str | None
    budgets: tuple[int, ...]
    iterations: dict[str, int]
    n_problems: int
    target: tuple[float, str] | None

    @property
    def first(self) -> str:
        """The smallest budget, in words: what the agent is given where others are compared with it."""
        return in_runs(self.budgets[0])

    def unbeaten(self) -> list[tuple[RivalSummary, int]]:
        """Rivals and budgets over which the agent with the smallest is not better beyond doubt."""
        return [(each, runs) for each in self.rivals for runs, lead in each.lead.items() if lead.low <= 0.5]

    def scores(self) -> list[dict[str, Any]]:
        """Of each rival as JSON values: what it is, what it reached, what it spent."""
        return [
            {
                "name": each.rival.name,
                "detail": each.rival.details,
                "prepared_iterations": each.rival.prepared,
                "test": {str(runs): vars(estimate) for runs, estimate in each.test.items()},
                "test_by_study": {
                    study: {str(runs): value for runs, value in tests.items()} for study, tests in each.by_study.items()
                },
                "agent_better": {str(runs): vars(estimate) for runs, estimate in each.lead.items()},
                "families_won_by_agent": {str(runs): count for runs, count in each.families.items()},
                "seeds_won_by_agent": {str(runs): count for runs, count in each.seeds.items()},
                "spent": each.spent(),
            }
            for each in self.rivals
        ]

    @property
    def ours(self) -> str:
        """What the rival is that others are compared with: agent, or search."""
        return "agent" if self.agent is None else self.agent.split()[0].rstrip(",")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "agent": self.agent,
            "budgets": list(self.budgets),
            "problems_per_study": self.n_problems,
            "iterations_per_run": self.iterations,
            "target": None if self.target is None else {"score": self.target[0], "of": self.target[1]},
            "rivals": [
                scores | {"runs_to_target": each.runs_to_target, "uses_to_pay": each.uses_to_pay}
                for scores, each in zip(self.scores(), self.rivals, strict=True)
            ],
            "unbeaten": [[each.rival.name, runs] for each, runs in self.unbeaten()],
        }


def summarise(
    rivals: Sequence[RivalResult],
    agent: str | None,
    budgets: Sequence[int],
    iterations: Mapping[str, int],
    n_decisions: int,
) -> ComparisonSummary:
    """Rank rivals by the test scores that they reach with one run, or with as few as they were given.

    Args:
        agent: the rival that the others are compared with, if any.
        iterations: study's name -> GAN iterations of a run.
        n_decisions: points of the curves in each run.
    """
    studies, first = list(iterations), budgets[0]
    grid = np.arange(1, budgets[-1] * n_decisions + 1) / n_decisions
    ours = next((each for each in rivals if each.name == agent), None)
    curves = {each.name: _curve(each, grid, iterations) for each in rivals}
    whose = next((name for name in TARGETS for each in rivals if each.name == name), None)
    target = None if whose is None else (_score_at(curves[whose], first), whose)
    mine = [] if ours is None else _test(ours, first, studies)
    found = []
    for each in rivals:
        test = {
            runs: _test(each, runs, studies) for runs in sorted({m for record in each.records for m in record.marks})
        }
        compared = {} if ours is None or each is ours else test
        found.append(
            RivalSummary(
                rival=each,
                test={runs: interquartile_mean(scores) for runs, scores in test.items()},
                by_study={
                    study: {runs: float(stats.trim_mean(scores[index], TRIMMED)) for runs, scores in test.items()}
                    for index, study in enumerate(studies)
                },
                lead={runs: probability_of_improvement(mine, scores) for runs, scores in compared.items()},
                families={runs: _families_won(mine, scores) for runs, scores in compared.items()},
                seeds={runs: _seeds_won(mine, scores) for runs, scores in compared.items()},
                curve=curves[each.name],
                runs_to_target=None if target is None else curves[each.name].reaches(target[0]),
                uses_to_pay="" if ours is None or each is ours else _pays(ours, each, curves, first, iterations),
            )
        )
    found.sort(key=lambda each: -each.test[min(each.test)].value)
    n_problems = len({(record.study, record.problem) for each in rivals for record in each.records}) // len(studies)
    return ComparisonSummary(
        rivals=tuple(found),
        agent=agent,
        budgets=tuple(budgets),
        iterations=dict(iterations),
        n_problems=n_problems,
        target=target,
    )


def of_study(rivals: Sequence[RivalResult], study: str) -> list[RivalResult]:
    """The rivals with their records of one study only."""
    return [
        replace(
            each,
            details={study: each.details[study]},
            preparations={study: each.preparations[study]},
            records=tuple(record for record in each.records if record.study == study),
        )
        for each in rivals
        if study in each.details
    ]


def _test(rival: RivalResult, runs: int, studies: Sequence[str]) -> list[Floats]:
    """Test scores at a budget, of each study, in the order of its problems."""
    marked = sorted((each for each in rival.records if runs in each.marks), key=lambda each: each.problem)
    return [np.array([each.marks[runs].test for each in marked if each.study == study]) for study in studies]


def _families_won(mine: Sequence[Floats], theirs: Sequence[Floats]) -> int:
    pairs = zip(mine, theirs, strict=True)
    return sum(bool(stats.trim_mean(x, TRIMMED) > stats.trim_mean(y, TRIMMED)) for x, y in pairs)


def _seeds_won(mine: Sequence[Floats], theirs: Sequence[Floats]) -> int:
    return int(np.sum(np.mean(mine, axis=0) > np.mean(theirs, axis=0)))


def _curve(rival: RivalResult, grid: Floats, iterations: Mapping[str, int]) -> Curve:
    per_problem = [(record.study, record.problem) for record in rival.records]
    if len(set(per_problem)) == len(per_problem):
        inside = grid[grid <= max(max(record.marks) for record in rival.records)]
        values = [best_so_far(record, inside * iterations[record.study] + 0.5) for record in rival.records]
        return Curve(inside, stats.trim_mean(np.array(values), TRIMMED, axis=0))
    marks = sorted({mark for record in rival.records for mark in record.marks})
    at = [[record.marks[mark].validation for record in rival.records if mark in record.marks] for mark in marks]
    return Curve(np.array(marks, dtype=float), np.maximum.accumulate([stats.trim_mean(x, TRIMMED) for x in at]))


def _score_at(curve: Curve, runs: float) -> float:
    return float(curve.scores[np.searchsorted(curve.runs, runs, side="right") - 1])


def _pays(
    agent: RivalResult, other: RivalResult, curves: Mapping[str, Curve], runs: int, iterations: Mapping[str, int]
) -> str:
    """After how many uses the agent's training has paid off against a rival, to the score that the agent reaches."""
    if not agent.prepared:
        return "training unknown"
    mine, theirs = curves[agent.name], curves[other.name]
    per_run = float(np.mean(list(iterations.values())))
    training = agent.prepared - other.prepared
    score = _score_at(mine, runs)
    per_use, needed = mine.reaches(score) or runs, theirs.reaches(score)
    uses = break_even(training, per_use * per_run, (needed or float(theirs.runs[-1])) * per_run)
    if uses is None:
        return "never reaches it" if needed is None else "never"
    return f"{'' if needed else 'at most '}{np.ceil(uses):,.0f}"

"""What rows are worth beside those that anybody makes in milliseconds, and what to conclude from it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cluster.comparison.job_result import BudgetResult
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.statistics import Estimate, mean
from cluster.comparison.summary import TARGETS
from rl_envs.classical_twin import ClassicalTwin


@dataclass(frozen=True, kw_only=True)
class RowsResult:
    """One way to make rows.

    Attributes:
        detail: what it is, in words.
        ceiling: whether it is what can be hoped for, and no rival.
        score: mean test score over problems.
        gan: mean of what the GAN's rows score more on the same problem; None of the GAN itself.
        terms: metric's name -> mean utility.
        memorised: mean share of rows nearer to a training row than to one of a second real sample; None if unknown.
        cpu_seconds: mean over problems of what training or learning took.
    """

    name: str
    detail: str
    ceiling: bool
    score: Estimate
    gan: Estimate | None
    terms: dict[str, float]
    memorised: float | None
    cpu_seconds: float


@dataclass(frozen=True, kw_only=True)
class RowsSummary:
    """The GAN's rows, and those of all yardsticks.

    Attributes:
        gan: who trained it, with how many runs a problem.
        others: the best first, the ceiling before all.
        n_problems: of all studies.
    """

    gan: RowsResult
    others: tuple[RowsResult, ...]
    n_problems: int

    @property
    def best(self) -> RowsResult:
        """The best that is not the ceiling."""
        return next(each for each in self.others if not each.ceiling)

    @property
    def conclusion(self) -> str:
        """What a newcomer should conclude, in one line."""
        twin = any(each.name == ClassicalTwin.name for each in self.others)
        return conclude(self.gan, self.best, "the circuit's" if twin else "the GAN's")

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "conclusion": self.conclusion,
            "problems": self.n_problems,
            "gan": asdict(self.gan),
            "beside": [asdict(each) for each in self.others],
        }


def conclude(gan: RowsResult, best: RowsResult, whose: str) -> str:
    """Whose rows are best, and by how much.

    Args:
        whose: what the GAN's rows are called.
    """
    lead = best.gan
    assert lead is not None
    ours, theirs = f"{gan.score.value:.3f}", f"{best.name} ({best.score.value:.3f})"
    if lead.low == lead.high:
        return f"rows: {whose} score {ours}, the best yardstick is {theirs}, on one problem, which proves little"
    if lead.low > 0:
        size = f"{lead.value:.3f} ({lead.low:.3f} to {lead.high:.3f})"
        return f"rows: {whose} are best here ({ours}), {size} above the best yardstick, {theirs}"
    if lead.high < 0:
        size = f"{-lead.value:.3f} ({-lead.high:.3f} to {-lead.low:.3f})"
        return f"rows: the best here are of a yardstick, {theirs}; {whose} ({ours}) are {size} below"
    size = f"{lead.value:+.3f}, {lead.low:+.3f} to {lead.high:+.3f}"
    return f"rows: {whose} ({ours}) are level with the best yardstick, {theirs}: {size}"


def summarise_rows(
    rivals: Sequence[RivalResult], beside: Sequence[RivalResult], agent: str | None, runs: int, studies: Sequence[str]
) -> RowsSummary | None:
    """The yardsticks beside the agent with so many runs, or else tuned constants, the defaults, or who comes first.

    Args:
        beside: those that were not measured in every study are left out.
    """
    measured = [each for each in beside if set(studies) <= set(each.details)]
    by_name = {each.name: each for each in rivals if any(runs in record.marks for record in each.records)}
    whose = next((name for name in (agent, *TARGETS, *by_name) if name in by_name), None)
    if whose is None or all(each.ceiling for each in measured):
        return None
    ours = _of(by_name[whose], runs, studies)
    gan = _result(by_name[whose], runs, studies, None)
    others = [_result(each, runs, studies, ours) for each in measured]
    others.sort(key=lambda each: (not each.ceiling, -each.score.value))
    return RowsSummary(gan=gan, others=tuple(others), n_problems=sum(map(len, ours)))


def _of(rival: RivalResult, runs: int, studies: Sequence[str]) -> list[list[BudgetResult]]:
    """What it returned in each study, in the order of its problems."""
    marked = sorted((each for each in rival.records if runs in each.marks), key=lambda each: each.problem)
    return [[each.marks[runs] for each in marked if each.study == study] for study in studies]


def _result(
    rival: RivalResult, runs: int, studies: Sequence[str], ours: Sequence[Sequence[BudgetResult]] | None
) -> RowsResult:
    found = _of(rival, runs, studies)
    scores = [np.array([each.test for each in problems]) for problems in found]
    lead = None
    if ours is not None:
        pairs = zip(ours, scores, strict=True)
        lead = mean([np.array([each.test for each in mine]) - theirs for mine, theirs in pairs])
    flat = [each for problems in found for each in problems]
    known = [each.memorised for each in flat if each.memorised is not None]
    records = [each for each in rival.records if each.study in studies]
    return RowsResult(
        name=rival.name,
        detail="; ".join(dict.fromkeys(rival.details[study] for study in studies)),
        ceiling=rival.ceiling,
        score=mean(scores),
        gan=lead,
        terms={
            name: float(np.mean([each.terms[name] for each in flat if name in each.terms]))
            for name in dict.fromkeys(name for each in flat for name in each.terms)
        },
        memorised=float(np.mean(known)) if known else None,
        cpu_seconds=float(np.mean([each.cpu_seconds * runs / each.runs for each in records])),
    )

"""A rival's results in a whole comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.rivals.retrained import whole_schedule
from rl_envs.replay import ScheduleFile


@dataclass(frozen=True, kw_only=True)
class RivalResult:
    """A rival's results on all studies.

    Attributes:
        details: study's name -> what it is there.
        preparations: study's name -> GAN iterations spent before it met the problems.
        shared: whether that was spent once for all studies.
        only_once: whether it is of interest with the smallest budget only.
        ceiling: whether it is what can be hoped for, and no rival.
    """

    name: str
    details: dict[str, str]
    preparations: dict[str, int]
    shared: bool
    records: tuple[JobResult, ...]
    only_once: bool = False
    ceiling: bool = False

    def at(self, runs: int) -> Self:
        """Its results with one budget only."""
        return replace(self, records=tuple(replace(each, marks={runs: each.marks[runs]}) for each in self.records))

    @property
    def prepared(self) -> int:
        """GAN iterations spent before it met the problems, in all studies together."""
        spent = self.preparations.values()
        return max(spent) if self.shared else sum(spent)


def first_returned(rival: RivalResult) -> list[BudgetResult]:
    """What a rival returned with its smallest budget, for each problem by number."""
    records = sorted(rival.records, key=lambda record: record.problem)
    return [record.marks[min(record.marks)] for record in records]


def first_schedules(rival: RivalResult, start: Mapping[str, float], n_decisions: int) -> list[ScheduleFile]:
    """The hyperparameters of that, for each problem by number.

    Args:
        start: values of those who returned nothing.
        n_decisions: of a whole run; a trial that was over early goes on with its last values.
    """
    held = {name: [value] for name, value in start.items()}
    return [whole_schedule(each.schedule or held, n_decisions) for each in first_returned(rival)]

"""A rival's results in a whole comparison."""

from dataclasses import dataclass, replace
from typing import Self

from cluster.comparison.job_result import JobResult


@dataclass(frozen=True)
class RivalResult:
    """A rival's results on all studies.

    Attributes:
        details: study's name -> what it is there.
        preparations: study's name -> GAN iterations spent before it met the problems.
        shared: whether that was spent once for all studies.
    """

    name: str
    details: dict[str, str]
    preparations: dict[str, int]
    shared: bool
    records: tuple[JobResult, ...]

    def at(self, runs: int) -> Self:
        """Its results with one budget only."""
        return replace(self, records=tuple(replace(each, marks={runs: each.marks[runs]}) for each in self.records))

    @property
    def prepared(self) -> int:
        """GAN iterations spent before it met the problems, in all studies together."""
        spent = self.preparations.values()
        return max(spent) if self.shared else sum(spent)

"""What to compare, and everybody's results together."""

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.comparison.compared_agent import ComparedAgent
from cluster.comparison.comparison_result import ComparisonResult, merged
from cluster.comparison.job_result import JobResult
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rivals.rival import Rival
from cluster.study.study import Study
from qsynth.population.snapshot import Keep


@dataclass(frozen=True)
class StudyResults:
    """What a comparison found in one study.

    Attributes:
        rivals: everybody's results.
        retrained: those of what each returned, trained again.
        beside: those of the yardsticks.
        searched: what was tried on training instances to tune rivals.
    """

    rivals: list[RivalResult]
    retrained: list[RivalResult]
    beside: list[RivalResult]
    searched: list[JobResult]


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """What to compare.

    Attributes:
        agents: the others are compared with the first.
        rivals: names in the registry.
        budgets: in runs, ascending.
        n_problems: of each study.
        search_trials: what each tuned rival may spend on training instances.
        retrain: whether what everybody returned is trained again, with a fresh seed.
        random_start: whether those start from random values who do not choose their own.
        keep: which GANs of a trial may be returned.
        searched: with whom the others are compared in an agent's place; needs no agents.
    """

    studies: tuple[Study, ...]
    agents: tuple[ComparedAgent, ...]
    rivals: tuple[str, ...]
    budgets: tuple[int, ...]
    n_problems: int
    search_trials: int
    retrain: bool
    random_start: bool
    keep: Keep
    searched: Rival | None = None

    @property
    def first(self) -> str | None:
        """The name of the rival that the others are compared with, if any."""
        if self.searched is not None:
            return self.searched.name
        return self.agents[0].name if self.agents else None

    def result(self, parts: Sequence[StudyResults]) -> ComparisonResult:
        """What came of it.

        Args:
            parts: of each study.
        """
        return ComparisonResult(
            rivals=self._merged([part.rivals for part in parts]),
            retrained=self._merged([part.retrained for part in parts]),
            beside=self._merged([part.beside for part in parts]),
            agent=self.first,
            budgets=self.budgets,
            iterations={study.name: study.iterations_per_run for study in self.studies},
            decisions={study.name: study.episode.n_decisions for study in self.studies},
            spaces={study.name: study.trial.search_space for study in self.studies},
            searched=tuple(each for part in parts for each in part.searched),
        )

    def _merged(self, parts: Sequence[Sequence[RivalResult]]) -> tuple[RivalResult, ...]:
        found: dict[str, RivalResult] = {}
        for study, results in zip(self.studies, parts, strict=True):
            for each in results:
                merged(found, study.name, each)
        return tuple(found.values())

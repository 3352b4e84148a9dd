"""What a comparison found; every table, picture and file of it is made of this."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter, ValidationError

from cluster.comparison.fronts import Fronts, fronts_of
from cluster.comparison.importance import Importance, importance
from cluster.comparison.job_result import JobResult
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rows_summary import RowsSummary, summarise_rows
from cluster.comparison.summary import ComparisonSummary, of_study, summarise
from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_text
from qsynth.files.json_text import read_json
from qsynth.space.search_space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class ComparisonResult:
    """Everybody's results on the problems of all studies.

    Attributes:
        retrained: of what each rival returned, trained again with a fresh seed; empty if that was not done.
        beside: the yardsticks, and the classical twin of a circuit.
        agent: the rival that the others are compared with, if any.
        budgets: in runs, ascending.
        iterations: study's name -> GAN iterations of a run.
        decisions: study's name -> decisions of a run.
        spaces: study's name -> what may be tuned; empty in files of earlier versions.
        searched: what was tried on training instances to tune rivals.
    """

    rivals: tuple[RivalResult, ...]
    retrained: tuple[RivalResult, ...]
    agent: str | None
    budgets: tuple[int, ...]
    iterations: dict[str, int]
    decisions: dict[str, int]
    beside: tuple[RivalResult, ...] = ()
    spaces: dict[str, SearchSpace] = field(default_factory=dict)
    searched: tuple[JobResult, ...] = ()

    @cached_property
    def summary(self) -> ComparisonSummary:
        """All studies together."""
        return self._summarised(self.rivals, list(self.iterations))

    @cached_property
    def retrained_summary(self) -> ComparisonSummary | None:
        """What everybody returned, trained again, beside the agent's one run; None if that was not done."""
        if not self.retrained:
            return None
        one_run = [each.at(self.budgets[0]) for each in self.rivals if each.name == self.agent]
        return self._summarised([*one_run, *self.retrained], list(self.iterations))

    @cached_property
    def families(self) -> dict[str, ComparisonSummary]:
        """Study's name -> the summary in it alone, where there are several."""
        if len(self.iterations) == 1:
            return {}
        return {name: self._summarised(of_study(self.rivals, name), [name]) for name in self.iterations}

    @cached_property
    def rows(self) -> RowsSummary | None:
        """What the rows are worth beside those of yardsticks; None if these were not measured."""
        return self._rows(list(self.iterations))

    @cached_property
    def rows_of_families(self) -> dict[str, RowsSummary]:
        """Study's name -> the same in it alone, where there are several."""
        if self.rows is None or len(self.iterations) == 1:
            return {}
        found = {name: self._rows([name]) for name in self.iterations}
        return {name: rows for name, rows in found.items() if rows is not None}

    @cached_property
    def importance(self) -> dict[str, Importance]:
        """Study's name -> which hyperparameters its trials' scores depend on; empty if an earlier version made it."""
        return {
            name: importance(self._records(name), [each for each in self.searched if each.study == name], space)
            for name, space in self.spaces.items()
        }

    @cached_property
    def fronts(self) -> dict[str, Fronts]:
        """Study's name -> the best of its trials for what they took; without studies whose trials were not kept."""
        found = {name: fronts_of(self._records(name)) for name in self.iterations}
        return {name: each for name, each in found.items() if each.points}

    def to_dict(self) -> dict[str, Any]:
        """Everything that reports say, as JSON values."""
        return self._summaries() | {
            "importance": {name: each.to_dict() for name, each in self.importance.items()},
            "fronts": {name: each.to_dict() for name, each in self.fronts.items()},
        }

    def _summaries(self) -> dict[str, Any]:
        again, rows = self.retrained_summary, self.rows
        return self.summary.to_dict() | {
            "retrained": [] if again is None else again.scores(),
            "rows": None if rows is None else rows.to_dict(),
            "rows_by_study": {name: each.to_dict() for name, each in self.rows_of_families.items()},
        }

    def write(self, path: Path) -> None:
        """Keep everything as JSON."""
        path.parent.mkdir(exist_ok=True)
        atomic_write_text(path, TypeAdapter(type(self)).dump_json(self).decode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """What :meth:`write` kept.

        Raises:
            QsynthError: it is something else, or can't be read.
        """
        try:
            found = TypeAdapter(cls).validate_python(read_json(path))
            found.check()
        except (FileError, ValidationError, LookupError, ValueError, TypeError, ArithmeticError):
            raise FileError(f"{path} must hold a comparison's results") from None
        return found

    def check(self) -> None:
        """Find out whether everything that tables and pictures are made of is there; the summaries are made and kept.

        Raises:
            LookupError, ValueError, TypeError or ArithmeticError: it is not.
        """
        names = [each.name for each in self.rivals]
        if len(set(names)) < len(names) or self.agent not in (None, *names):
            raise ValueError("rivals of equal names, or no agent among them")
        if not self.iterations or set(self.decisions) != set(self.iterations) or min(self.iterations.values()) < 1:
            raise ValueError("no studies, or without iterations")
        if sorted(set(self.budgets)) != list(self.budgets) or self.budgets[0] < 1:
            raise ValueError("budgets that do not ascend")
        for rival in (*self.rivals, *self.retrained, *self.beside):
            numbers = [(mark.test, mark.validation) for record in rival.records for mark in record.marks.values()]
            if not np.isfinite(numbers).all() or not rival.records:
                raise ValueError(f"scores of {rival.name} that are none")
        for record in (*(each for rival in self.rivals for each in rival.records), *self.searched):
            if record.trials is not None:
                record.trials.check()
        self._summaries()

    def _records(self, study: str) -> list[JobResult]:
        return [record for rival in self.rivals for record in rival.records if record.study == study]

    def _rows(self, studies: Sequence[str]) -> RowsSummary | None:
        return summarise_rows(self.rivals, self.beside, self.agent, self.budgets[0], studies)

    def _summarised(self, rivals: Sequence[RivalResult], studies: Sequence[str]) -> ComparisonSummary:
        iterations = {name: self.iterations[name] for name in studies}
        n_decisions = max(self.decisions[name] for name in studies)
        return summarise(rivals, self.agent, self.budgets, iterations, n_decisions)


def merged(rivals: dict[str, RivalResult], study: str, result: RivalResult) -> None:
    """Add a rival's results on a further study to those that it has."""
    old = rivals.get(result.name, replace(result, details={}, preparations={}, records=()))
    rivals[result.name] = replace(
        old,
        details=old.details | {study: result.details[study]},
        preparations=old.preparations | {study: result.preparations[study]},
        records=(*old.records, *result.records),
    )

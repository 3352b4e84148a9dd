"""Running an experiment: cells that are there already are not run again."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from qsynth.data.tabular import PartitionedTable
from qsynth.errors import DataError, FileError, QsynthError
from qsynth.experiment.cell import ArmResult, CellResult, run_cell
from qsynth.experiment.plan import ExperimentPlan
from qsynth.experiment.task import Task, draw_task
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json

SETTINGS = "experiment.json"


@dataclass(frozen=True)
class CellKey:
    """One data set in one regime, by the regime's place in the plan."""

    data: str
    regime: int


def keys(plan: ExperimentPlan) -> list[CellKey]:
    """All cells, the data sets of a regime one after another."""
    return [CellKey(data, regime) for regime in range(len(plan.regimes)) for data in plan.data]


def check(plan: ExperimentPlan) -> None:
    """Draw the first task of every cell, so that what could fail does so before work starts.

    Raises:
        QsynthError: a table that can't be read, or that has too few rows for a regime.
    """
    for key in keys(plan):
        try:
            draw_task(_source(plan, key), plan.regimes[key.regime], plan.first_seed)
        except QsynthError as error:
            raise DataError(f"{key.data}, {plan.regimes[key.regime].title}: {error}") from None


def run(
    plan: ExperimentPlan, key: CellKey, without: Collection[str] = (), on_stage: Callable[[str], None] = lambda _: None
) -> CellResult:
    """One cell.

    Args:
        without: names of arms that are left out.
        on_stage: is told what begins.
    """
    source, regime = _source(plan, key), plan.regimes[key.regime]
    tasks: list[Task] = [draw_task(source, regime, seed) for seed in plan.seeds]
    arms = [arm for arm in plan.all_arms() if arm.name not in without]
    return run_cell(key.data, regime.title, tasks, arms, plan.qnn, plan.n_synthetic, plan.share, on_stage)


class ExperimentFolder:
    """Where an experiment's settings and cells are kept; more arms may join them later.

    Raises:
        QsynthError: the folder holds another experiment, or can't be written.
    """

    def __init__(self, folder: Path, plan: ExperimentPlan) -> None:
        self.folder, self._plan = folder, plan
        settings, path = plan.model_dump(mode="json", exclude={"arms"}), folder / SETTINGS
        try:
            (folder / "cells").mkdir(parents=True, exist_ok=True)
            if path.exists() and read_json(path) != settings:
                raise FileError(f"{folder} must be empty or hold this experiment; it holds one of other settings")
            if not path.exists():
                atomic_write_json(path, settings)
        except OSError as error:
            raise FileError(f"{folder} can't be used for an experiment: {error}") from None

    def missing(self) -> dict[CellKey, list[str]]:
        """Cells that lack arms, with the names of those that they have.

        Raises:
            FileError: a cell can't be read.
        """
        found = {key: self._arms(key) for key in keys(self._plan)}
        wanted = {arm.name for arm in self._plan.all_arms()}
        return {key: sorted(arms) for key, arms in found.items() if not wanted <= set(arms)}

    def keep(self, key: CellKey, result: CellResult) -> None:
        """Write a cell, or add its arms to those that are there.

        Raises:
            FileError: it can't be written.
        """
        arms = self._arms(key) | result.arms
        try:
            atomic_write_json(self._path(key), replace(result, arms=arms).to_dict(), indent=0)
        except OSError as error:
            raise FileError(f"{self._path(key)} can't be written: {error}") from None

    def _arms(self, key: CellKey) -> dict[str, ArmResult]:
        found = self._read(key)
        return {} if found is None else found.arms

    def results(self) -> list[CellResult]:
        """The cells that are there, in the plan's order.

        Raises:
            FileError: one can't be read.
        """
        found = [self._read(key) for key in keys(self._plan)]
        return [cell for cell in found if cell is not None]

    def _read(self, key: CellKey) -> CellResult | None:
        path = self._path(key)
        if not path.exists():
            return None
        try:
            cell = CellResult.from_dict(read_json(path))
            if (cell.data, cell.regime, cell.seeds) != (key.data, self._title(key), list(self._plan.seeds)):
                raise FileError("it is of another data set, another regime or other seeds")
        except FileError as error:
            raise FileError(f"{path} can't be read as a cell of an experiment: {error}; remove it") from None
        return cell

    def _path(self, key: CellKey) -> Path:
        regime = re.sub(r"\W+", "-", self._title(key))
        return self.folder / "cells" / f"{key.data}-{regime}.json"

    def _title(self, key: CellKey) -> str:
        return self._plan.regimes[key.regime].title


def _source(plan: ExperimentPlan, key: CellKey) -> PartitionedTable:
    source = plan.data[key.data]
    assert isinstance(source, PartitionedTable)  # as the plan has checked
    return source

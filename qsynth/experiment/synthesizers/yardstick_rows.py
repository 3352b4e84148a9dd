"""Yardsticks as synthesizers of an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.task import Task
from qsynth.yardsticks.registry import YARDSTICKS


@dataclass(frozen=True)
class YardstickRows:
    """Rows of a yardstick, fitted to each task's rows by itself."""

    name: str
    role: Role = "yardstick"

    @property
    def about(self) -> str:
        """What it does, in words."""
        return YARDSTICKS[self.name].about

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        yardstick = YARDSTICKS[self.name]
        return [yardstick.fit(task.instance, task.seed).sample(labels, task.seed) for task in tasks]


YARDSTICK_ROWS = tuple(
    YardstickRows(name) for name in ("duplication", "SMOTE", "kernel density", "Gaussian mixture", "tied Gaussian")
)

"""Small tables and results to test experiments with."""

import numpy as np

from qsynth.data.table import Table
from qsynth.data.tabular import TabularConfig
from qsynth.experiment.cell import ArmResult, CellResult, balanced_mean
from qsynth.experiment.regime import FewLabels, Regime
from qsynth.experiment.task import Task, draw_task


class Blobs(TabularConfig):
    """Two normal classes in two columns, their means 4 deviations apart, 150 rows each."""

    n_features: int | None = 2
    apart: float = 4.0

    @property
    def title(self) -> str:
        return "blobs"

    def table(self) -> Table:
        random = np.random.default_rng(0)
        y = np.arange(300) % 2
        x = random.normal(size=(300, 2)) + self.apart * y[:, None] * np.array([1.0, 0.0])
        return Table(x=x, y=y.astype(np.int64), feature_names=("a", "b"), class_names=("left", "right"))


def blobs(regime: Regime | None = None, seeds: int = 2, apart: float = 4.0) -> list[Task]:
    """Tasks of it."""
    return [draw_task(Blobs(apart=apart), regime or FewLabels(n_rows=20), seed) for seed in range(seeds)]


def cell_of(
    rights: dict[str, np.ndarray], labels: np.ndarray, data: str = "made", regime: str = "20 rows", n_looks: int = 20
) -> CellResult:
    """From what arms get right: seeds x test rows, in [0, 1]."""
    arms = {
        name: ArmResult(
            accuracy=right.mean(axis=1).tolist(),
            balanced=[balanced_mean(row, labels) for row in right],
            cross_entropy=[0.5] * len(right),
            rows=right.mean(axis=0).tolist(),
            path=[[balanced_mean(row, labels)] * n_looks for row in right],
        )
        for name, right in rights.items()
    }
    n_seeds = len(next(iter(rights.values())))
    return CellResult(data=data, regime=regime, seeds=list(range(n_seeds)), test_labels=labels.tolist(), arms=arms)

"""The table synthesizer's way (:mod:`qsynth.synthesis`) for all tasks of a cell at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qsynth.data.dataset import Split
from qsynth.data.scaling import Scaling
from qsynth.experiment.synthesizers.gan_rows import trained
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.task import Task
from qsynth.population.population import Population
from qsynth.population.trained_generator import TrainedGenerator
from qsynth.synthesis.latent import Latent
from qsynth.synthesis.makers import CircuitScores
from qsynth.synthesis.scores import Calibration, TableScores, calibration_labels
from qsynth.synthesis.settings import default_config
from qsynth.synthesis.table_model import CALIBRATION_SEED
from qsynth.synthesis.two_parts import two_part_instance


@dataclass(frozen=True)
class TableRows:
    """Columns as normal scores within the classes; a circuit learns how they go together."""

    name: str = "qsynth table"
    about: str = "columns' distributions within classes, the circuit for how they go together"
    role: Role = "gan"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        models = [_Columns.of(task) for task in tasks]
        n_qubits = max(tasks[0].instance.n_features, tasks[0].instance.n_classes)
        instances = [
            two_part_instance(each.learned, each.learned, task.instance.class_names, each.scaling)
            for each, task in zip(models, tasks, strict=True)
        ]
        population = trained(default_config(n_qubits), instances, [task.seed for task in tasks])
        return [
            each.sample(_maker(population, lane, each), labels, task.seed)
            for lane, (each, task) in enumerate(zip(models, tasks, strict=True))
        ]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Columns:
    """A task's columns, their scores' factors, and the rows of these to learn."""

    columns: TableScores
    latent: Latent
    scaling: Scaling
    learned: Split
    n_classes: int

    @classmethod
    def of(cls, task: Task) -> "_Columns":
        real, n_classes = task.instance.train, task.instance.n_classes
        numbers = real.x.astype(np.float64)
        columns = TableScores.fit(numbers, real.y, [False] * numbers.shape[1], n_classes)
        z = columns.forward(numbers, real.y, np.random.default_rng([task.seed, 10]))
        latent = Latent.fit(z, z.shape[1])
        factors = latent.factors(z)
        scaling = Scaling.fit(factors, latent.n_factors)
        learned = Split(scaling.forward(factors), real.y)
        return cls(columns=columns, latent=latent, scaling=scaling, learned=learned, n_classes=n_classes)

    def sample(self, maker: CircuitScores, labels: NDArray[np.int64], seed: int) -> Floats:
        many = calibration_labels(self.n_classes)
        calibration = Calibration.fit(maker.scores(many, CALIBRATION_SEED), many, self.n_classes)
        shares = calibration.shares(maker.scores(labels, seed), labels)
        return np.asarray(self.columns.inverse(shares, labels), dtype=np.float32)


def _maker(population: Population, lane: int, columns: _Columns) -> CircuitScores:
    snapshot = population.snapshot(lane)
    made = TrainedGenerator(
        population.config, snapshot.generator, snapshot.hyperparameters, population.n_features, population.n_classes
    )
    return CircuitScores(made, columns.scaling, columns.latent)

"""Generators trained for all tasks of a cell as lanes of one population."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from qsynth.data.dataset import Instance
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.synthesizers.training_rows import evenly
from qsynth.experiment.task import Task
from qsynth.experiment.training_set import onehot
from qsynth.population.population import Population
from qsynth.population.recommended import recommended_trial
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.settings import default_config
from qsynth.synthesis.table_fit import score_of_tables

N_ITERATIONS = 200


def trained(
    config: TrialConfig,
    instances: Sequence[Instance],
    seeds: Sequence[int],
    values: Mapping[str, NDArray[np.float64]] | None = None,
) -> Population:
    """A trial on each instance, under constants, after ``N_ITERATIONS``.

    Args:
        values: hyperparameters (name -> one for each trial) in place of the config's.
    """
    first = instances[0]
    population = Population(config, first.n_features, first.n_classes, len(instances))
    population.reset(range(len(instances)), instances, seeds)
    if values is not None:
        population.apply(values)
    population.advance(N_ITERATIONS)
    return population


def sampled(population: Population, lanes: Iterable[int], tasks: Sequence[Task], labels: Labels) -> list[Floats]:
    """Rows (``n x d``) of each task from its lane for labels (``n``), from noise of the task's seed."""
    wanted = torch.as_tensor(onehot(labels, population.n_classes))
    return [population.sample(int(lane), wanted, task.seed).numpy() for lane, task in zip(lanes, tasks, strict=True)]


@dataclass(frozen=True)
class GanRows:
    """Rows of a generator under constant hyperparameters; its training rows are dealt out evenly over the classes.

    Attributes:
        config: of a trial on so many qubits.
    """

    name: str
    about: str
    config: Callable[[int], TrialConfig]
    role: Role = "gan"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        instances = [evenly(task.instance) for task in tasks]
        first = instances[0]
        config = self.config(max(first.n_features, first.n_classes))
        population = trained(config, instances, [task.seed for task in tasks])
        return sampled(population, range(len(tasks)), tasks, labels)


def with_critic(n_qubits: int) -> TrialConfig:
    """The recommended recipe."""
    return recommended_trial(n_qubits, score=score_of_tables())


def classical(n_qubits: int) -> TrialConfig:
    """The recipe with a classical generator of as many parameters."""
    return with_critic(n_qubits).replaced(generator={"kind": "classical"})


GANS = (
    GanRows("qsynth", "the quantum GAN, recommended constants", with_critic),
    GanRows("qsynth without a critic", "the same circuit, energy distance alone", default_config),
    GanRows("classical twin", "the GAN with a classical generator of equal size", classical),
)

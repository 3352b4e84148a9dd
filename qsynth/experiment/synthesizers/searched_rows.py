"""The recommended GAN under random search, all runs of all tasks as lanes of one population."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qsynth.data.dataset import Instance
from qsynth.experiment.synthesizers.gan_rows import N_ITERATIONS, sampled, with_critic
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.synthesizers.training_rows import kept_back
from qsynth.experiment.task import Task
from qsynth.population.population import Population
from qsynth.space.search_space import random_values

N_RUNS = 8
STREAM = 11
# The search space of the studies that qsynth brings.
SPACE: Mapping[str, Any] = {
    "lr_generator": {"kind": "float", "low": 0.001, "high": 0.1, "log": True},
    "lr_critic": {"kind": "float", "low": 0.0003, "high": 0.1, "log": True},
    "fidelity_weight": {"kind": "float", "low": 0.3, "high": 300, "log": True},
    "adversarial_weight": {"kind": "float", "low": 0, "high": 1},
    "diversity_weight": {"kind": "float", "low": 0, "high": 1},
    "shots": {"kind": "float", "low": 4, "high": 64, "log": True},
    "n_layers": {"kind": "int", "low": 1, "high": 3},
}

Values = dict[str, NDArray[np.float64]]


def random_runs(instances: Sequence[Instance], seeds: Sequence[int]) -> tuple[Population, Values]:
    """A trial in every lane, trained for ``N_ITERATIONS`` under constants drawn from ``SPACE``; and these."""
    first = instances[0]
    config = with_critic(max(first.n_features, first.n_classes)).replaced(search_space=SPACE)
    values = random_values(config.search_space, np.random.default_rng([seeds[0], STREAM]), len(instances))
    population = Population(config, first.n_features, first.n_classes, len(instances))
    population.reset(range(len(instances)), instances, seeds)
    population.apply(values)
    population.advance(N_ITERATIONS)
    return population, values


@dataclass(frozen=True)
class SearchedRows:
    """The best of ``N_RUNS`` trials of a task, by their score on rows that are kept back."""

    name: str = "qsynth random search"
    about: str = f"the best of {N_RUNS} quantum GANs under random constants, by a fifth of the rows that is kept back"
    role: Role = "gan"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        runs = [task for task in tasks for _ in range(N_RUNS)]
        population, _ = random_runs([kept_back(task.instance) for task in runs], [task.seed for task in runs])
        score = np.nan_to_num(population.evaluate().score.numpy().astype(float), nan=-np.inf)
        score[population.diverged] = -np.inf
        best = score.reshape(len(tasks), N_RUNS).argmax(axis=1) + N_RUNS * np.arange(len(tasks))
        return sampled(population, best, tasks, labels)

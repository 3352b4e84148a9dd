"""The recommended GAN under random search, all runs of all tasks as lanes of one population."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qsynth.data.dataset import Instance
from qsynth.experiment.synthesizers.gan_rows import sampled, trained, with_critic
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.synthesizers.training_rows import kept_back
from qsynth.experiment.task import Task
from qsynth.population.population import Population
from qsynth.population.usual_space import usual_space
from qsynth.space.search_space import random_values

N_RUNS = 8
STREAM = 11

Values = dict[str, NDArray[np.float64]]


def random_runs(instances: Sequence[Instance], seeds: Sequence[int]) -> tuple[Population, Values]:
    """A trial in every lane, trained under constants drawn from what the presets tune; and these."""
    first = instances[0]
    config = with_critic(max(first.n_features, first.n_classes))
    config = config.replaced(search_space=usual_space(config))
    values = random_values(config.search_space, np.random.default_rng([seeds[0], STREAM]), len(instances))
    return trained(config, instances, seeds, values), values


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

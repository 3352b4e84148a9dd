"""The GAN without a circuit that a quantum one is compared with."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from qsynth.data.dataset import Instance
from qsynth.population.population import Population
from rl_envs.agents import Hold
from rl_envs.config import EnvironmentConfig, make_tuner
from rl_envs.rollout import Assignment, play


@dataclass(frozen=True)
class GanRows:
    """Rows of a trained generator.

    Attributes:
        population: it is that of the only lane.
    """

    population: Population

    def sample(self, labels: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        """Rows for labels, from noise of ``seed``."""
        onehot = torch.eye(self.population.n_classes)[torch.as_tensor(labels)]
        return np.asarray(self.population.sample(0, onehot, seed).numpy())


class ClassicalTwin:
    """A yardstick that is a GAN: a study's trial with a classical generator of as many parameters, and the same losses,
    noise and budget, under the study's defaults; of its decisions the one with the best validation score."""

    name = "classical twin"
    about = "the same GAN with a classical generator of equal size, under the defaults"
    ceiling = False

    def __init__(self, environment: EnvironmentConfig) -> None:
        # Nothing is tuned, so that nothing that the classical generator lacks need be left out of the search space.
        trial = environment.trial.replaced(generator={"kind": "classical"}, search_space={})
        self._environment = environment.replaced(trial=trial, compiled=False, place="cpu")

    def fit(self, instance: Instance, seed: int) -> GanRows:
        """Train it from networks of ``seed``."""
        tuner = make_tuner(self._environment, 1)
        play(tuner, lambda _: Hold(), [Assignment(instance, seed)], keep="best")
        return GanRows(tuner.population)


def has_circuit(environment: EnvironmentConfig) -> bool:
    """Whether a study's generator is not the twin's own kind."""
    return environment.trial.generator.kind != "classical"

"""What an environment needs to know."""

from typing import Any, Self

import numpy as np
import torch
from pydantic import Field

from qsynth.config import Config, parse
from qsynth.data.dataset import Instance
from qsynth.data.sources import DataConfig
from qsynth.execution.place import Place, check_place
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.space.search_space import random_values
from rl_envs.spaces import ActionEntry
from rl_envs.tuner import EpisodeConfig, Tuner


class EnvironmentConfig(Config):
    """A study's environment: what trials learn, how they train, how episodes run.

    Attributes:
        n_instances: how many training instances episodes are drawn from.
        compiled: whether the population compiles its updates.
        place: where it computes.
    """

    data: DataConfig
    trial: TrialConfig
    episode: EpisodeConfig = EpisodeConfig()
    n_instances: int = Field(64, ge=1, le=100_000)
    compiled: bool = False
    place: Place = "cpu"

    @property
    def actions(self) -> dict[str, ActionEntry]:
        """What agents may do."""
        return self.episode.actions(self.trial.search_space)

    def starts(self, random: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Hyperparameters that ``n`` episodes of an agent's training start from, name -> n, where these are not all the
        defaults: random ones for ``episode.random_start`` of them."""
        share, space = self.episode.random_start, self.trial.search_space
        if not share:
            return {}
        drawn, at_random = random_values(space, random, n), random.random(n) < share
        return {name: np.where(at_random, drawn[name], self.trial.default(name)) for name in space}

    def at(self, place: Place) -> Self:
        """The same where populations compute at ``place``; on a GPU they don't compile."""
        return self.model_copy(update={"place": place, "compiled": self.compiled and place == "cpu"})


def make_tuner(config: EnvironmentConfig, n_lanes: int, example: Instance | None = None) -> Tuner:
    """A tuner of ``n_lanes`` lanes, its programs compiled already if they are to be.

    Args:
        example: what its trials learn is of this shape; left out: the data's first training instance.

    Raises:
        QsynthError: the data does not fit the circuit, or there is no GPU for a place on one.
    """
    check_place(config.place)
    example = example or config.data.instance(0, held_out=False)
    with torch.device(config.place):
        population = Population(config.trial, example.n_features, example.n_classes, n_lanes, config.compiled)
    population.warm_up(example)
    return Tuner(population, config.episode)


class InstancePool:
    """Training instances, made when first drawn."""

    def __init__(self, config: EnvironmentConfig) -> None:
        self._config = config
        self._instances: dict[int, Instance] = {}

    def __len__(self) -> int:
        return self._config.n_instances

    def __getitem__(self, index: int) -> Instance:
        if index not in self._instances:
            self._instances[index] = self._config.data.instance(index, held_out=False)
        return self._instances[index]


def environment_config(values: Any) -> EnvironmentConfig:
    """The config that environment constructors accept: an :class:`EnvironmentConfig`, or its plain-data form.

    Raises:
        QsynthError: not such a config.
    """
    return values if isinstance(values, EnvironmentConfig) else parse(EnvironmentConfig, values, source="environment")

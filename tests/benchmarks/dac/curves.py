"""Curves to be followed, one by each setting."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.dac.environment import DacEnv

BOUND = 5.0


class Instances(NamedTuple):
    """Sigmoid curves 1 / (1 + exp(-slope (t - shift))), and how observations are scaled.

    Attributes:
        parameters: instances x curves x (slope, shift).
        mean: of the law that they were drawn from, curves x 2.
        sd: of that law.
    """

    parameters: np.ndarray
    mean: np.ndarray
    sd: np.ndarray


class CurvesEnv(DacEnv):
    """At each step the value of every curve is to be named; a setting of n values has them evenly spaced in [0, 1].

    Each episode takes the next instance in turn, in an order shuffled for every pass.

    State: steps left; slope and shift of each curve; the last settings (position or value), or -1 before the first.
    Observation: the same with steps left in [-1, 1], parameters standardised, settings in [0, 1] (or -1).

    Args:
        n_values: for each curve; None if its setting is continuous.
        first: the time of an episode's first step.
    """

    def __init__(
        self, num_envs: int, n_steps: int, n_values: Sequence[int | None], instances: Instances, first: int
    ) -> None:
        names = {f"curve_{number}": n for number, n in enumerate(n_values)}
        super().__init__(num_envs, n_steps, names, 1 + 3 * len(names), BOUND)
        self.instances, self.first = instances, first
        self.parameters = np.zeros((num_envs, len(names), 2))
        self._steps = np.array([1 if n is None else n - 1 for n in n_values])
        self._queue = np.zeros(0, dtype=int)
        self._last = np.full((num_envs, len(names)), -1.0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in every lane; with a seed, at the beginning of a pass through the instances."""
        if seed is not None:
            self._queue = self._queue[:0]
        return super().reset(seed=seed, options=options)

    def begin(self) -> None:
        while len(self._queue) < self.num_envs:
            self._queue = np.append(self._queue, self.random.permutation(len(self.instances.parameters)))
        taken, self._queue = np.split(self._queue, [self.num_envs])
        self.parameters = self.instances.parameters[taken]
        self._last[:] = -1.0

    def targets(self) -> np.ndarray:
        """The curves at this step, lanes x curves."""
        slope, shift = np.moveaxis(self.parameters, -1, 0)
        return np.asarray(1 / (1 + np.exp(-slope * (self.first + self.t - shift))))

    def state(self) -> np.ndarray:
        left = np.full((self.num_envs, 1), self.n_steps - self.t)
        return np.concatenate([left, self.parameters.reshape(self.num_envs, -1), self._last], axis=1)

    def observation(self) -> np.ndarray:
        left = np.full((self.num_envs, 1), 1 - 2 * self.t / self.n_steps)
        scaled = (self.parameters - self.instances.mean) / self.instances.sd
        last = np.where(self._last < 0, -1, self._last / self._steps)
        observation = np.concatenate([left, scaled.reshape(self.num_envs, -1), last], axis=1)
        return np.clip(observation, -BOUND, BOUND).astype(np.float32)

    def advance(self, settings: np.ndarray) -> np.ndarray:
        reward = self.reward(np.abs(self.targets() - settings / self._steps))
        self._last = settings.copy()
        return reward

    def best(self) -> np.ndarray:
        """The nearest values: both rewards fall with each distance."""
        targets = self.targets()
        discrete = np.array([n is not None for n in self.n_values.values()])
        return np.where(discrete, np.round(targets * self._steps), targets)

    @abstractmethod
    def reward(self, distances: np.ndarray) -> np.ndarray:
        """Of distances to the curves, lanes x curves."""

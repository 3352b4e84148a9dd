"""What the benchmarks have in common: episodes of one length, and settings chosen anew at each step."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from qsynth.space.search_space import Choice, Float
from rl_envs.spaces import ActionEntry, action_space


def setting(n_values: int | None) -> ActionEntry:
    """A setting whose action space is ``Discrete(n_values)``, or ``Box(-1, 1, (1,))`` for one in [0, 1] if None.

    An action here names the setting itself: what means "stay" elsewhere, the first category, is the first value.
    """
    return Float(low=0, high=1) if n_values is None else Choice(values=tuple(range(1, n_values)))


class DacEnv(VectorEnv[np.ndarray, dict[str, np.ndarray], np.ndarray]):
    """``num_envs`` episodes in lockstep, that restart together at the step after their last (autoreset NEXT_STEP).

    Their last step terminates them, as agents see how far they are; dacbench says truncated.

    Args:
        n_steps: of an episode.
        n_values: of each setting; None for a continuous one in [0, 1].
        bound: the greatest size of an observed feature.

    Attributes:
        reward_scale: divided by it, returns are about as large as a trial's, whose scores lie in [0, 1].
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self, num_envs: int, n_steps: int, n_values: Mapping[str, int | None], n_features: int, bound: float
    ) -> None:
        self.num_envs, self.n_steps, self.n_values = num_envs, n_steps, dict(sorted(n_values.items()))
        self.reward_scale = float(n_steps)
        self.entries = {name: setting(n) for name, n in self.n_values.items()}
        self.single_action_space = action_space(self.entries)
        self.single_observation_space = spaces.Box(-bound, bound, (n_features,), np.float32)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.random = np.random.default_rng()
        self.t = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode in every lane; ``seed`` fixes the instances from here on."""
        if seed is not None:
            self.random = np.random.default_rng(seed)
        self.t = 0
        self.begin()
        return self.observation(), {}

    def step(
        self, actions: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step in every lane, or the restart of all if their episodes are over."""
        nothing = np.zeros(self.num_envs, dtype=bool)
        if self.t == self.n_steps:
            observation, info = self.reset()
            return observation, np.zeros(self.num_envs), nothing, nothing.copy(), info
        reward = self.advance(self.chosen(actions))
        self.t += 1
        over = np.full(self.num_envs, self.t == self.n_steps)
        return self.observation(), reward, over, nothing, {}

    def chosen(self, actions: dict[str, np.ndarray]) -> np.ndarray:
        """Settings that actions name, lanes x settings: in [0, 1], or the position of a value."""
        columns = []
        for name, n in self.n_values.items():
            action = np.asarray(actions[name], dtype=float).reshape(self.num_envs)
            columns.append(np.clip((action + 1) / 2, 0, 1) if n is None else action)
        return np.stack(columns, axis=1)

    def actions(self, settings: np.ndarray) -> dict[str, np.ndarray]:
        """The inverse of :meth:`chosen`."""
        return {
            name: (2 * column[:, None] - 1).astype(np.float32) if n is None else column.astype(np.int64)
            for (name, n), column in zip(self.n_values.items(), settings.T, strict=True)
        }

    @abstractmethod
    def begin(self) -> None:
        """Draw what the episodes are about."""

    @abstractmethod
    def state(self) -> np.ndarray:
        """What the published environment shows, lanes x features."""

    @abstractmethod
    def observation(self) -> np.ndarray:
        """The state, scaled for a network."""

    @abstractmethod
    def advance(self, settings: np.ndarray) -> np.ndarray:
        """Rewards of the settings at this step."""

    @abstractmethod
    def best(self) -> np.ndarray:
        """The settings with the greatest reward at this step, lanes x settings."""

"""One trial as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np

from rl_envs.config import InstancePool, environment_config, make_tuner
from rl_envs.observation import observation_space
from rl_envs.spaces import action_space, moved
from rl_envs.vector_env import MAX_SEED

ENV_ID = "QGANTuning-v0"


class QGANTuningEnv(gymnasium.Env[np.ndarray, dict[str, Any]]):
    """The training of one quantum GAN; a step is a decision about its hyperparameters.

    A trial's end terminates an episode, be it a failure or the end of its budget, which is part of the problem and is
    seen: nothing is worth anything after it. No episode is truncated.

    Args:
        config: an ``EnvironmentConfig`` or its plain-data form.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, config: Any) -> None:
        self.config = environment_config(config)
        self.tuner = make_tuner(self.config, 1)
        self._pool = InstancePool(self.config)
        self.observation_space = observation_space(self.tuner.search_space, self.tuner.metrics)
        self.action_space = action_space(self.tuner.actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a trial on a random training instance."""
        super().reset(seed=seed)
        instance = self._pool[int(self.np_random.integers(len(self._pool)))]
        seeds = [int(self.np_random.integers(MAX_SEED))]
        observation = self.tuner.begin([0], [instance], seeds, values=self.config.starts(self.np_random, 1))
        return observation[0], {"score": float(self.tuner.score[0]), "reason": ""}

    def step(self, action: dict[str, Any]) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Change hyperparameters, train up to the next decision."""
        batched = {name: np.asarray(value).reshape(1, -1) for name, value in action.items()}
        changes = moved(self.tuner.actions, self.tuner.values, batched, self.config.episode.max_step)
        step = self.tuner.step(changes)
        return (
            step.observation[0],
            float(step.reward[0]),
            bool(step.failed[0] or step.finished[0]),
            False,
            {"score": float(step.score[0]), "reason": step.reason[0]},
        )


def register() -> None:
    """Enter ``QGANTuning-v0`` (single and vector) in Gymnasium's registry."""
    if ENV_ID not in gymnasium.registry:
        gymnasium.register(
            ENV_ID,
            entry_point="rl_envs.tuning_env:QGANTuningEnv",
            vector_entry_point="rl_envs.vector_env:QGANTuningVectorEnv",
        )

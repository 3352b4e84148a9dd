"""A population of trials as one Gymnasium vector environment."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rl_envs.config import InstancePool, environment_config, make_tuner
from rl_envs.observation import observation_space
from rl_envs.spaces import action_space, moved

MAX_SEED = 2**62


class QGANTuningVectorEnv(VectorEnv[np.ndarray, dict[str, np.ndarray], np.ndarray]):
    """``num_envs`` trials in lockstep, each an episode of its own, on instances drawn at random from the training pool.

    Episodes end as those of :class:`rl_envs.tuning_env.QGANTuningEnv` do: terminated, never truncated. A finished lane
    starts its next episode at the following step (autoreset mode NEXT_STEP), whose action it ignores.

    Args:
        num_envs: lanes.
        config: an ``EnvironmentConfig`` or its plain-data form.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int, config: Any) -> None:
        self.config = environment_config(config)
        self.num_envs = num_envs
        self.tuner = make_tuner(self.config, num_envs)
        self._pool = InstancePool(self.config)
        self.single_observation_space = observation_space(self.tuner.search_space, self.tuner.metrics)
        self.single_action_space = action_space(self.tuner.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._random = np.random.default_rng()
        self._over = np.zeros(num_envs, dtype=bool)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a new episode in every lane; ``seed`` fixes all instances and trial seeds from here on."""
        if seed is not None:
            self._random = np.random.default_rng(seed)  # type: ignore[arg-type]
        self._over[:] = False
        observation = self._begin(range(self.num_envs))
        return observation, self._info(self.tuner.score, [""] * self.num_envs)

    def step(
        self, actions: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One decision in every lane; a lane whose episode is over is reset instead."""
        return self.change(moved(self.tuner.actions, self.tuner.values, actions, self.config.episode.max_step))

    def change(
        self, changes: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """:meth:`step` with hyperparameters (name -> lanes) instead of actions; what is left out stays."""
        over = self._over.copy()
        if over.all():
            observation = self._begin(range(self.num_envs))
            nothing = np.zeros(self.num_envs, dtype=bool)
            self._over = nothing.copy()
            info = self._info(self.tuner.score, [""] * self.num_envs)
            return observation, np.zeros(self.num_envs), nothing, nothing.copy(), info
        step = self.tuner.step(changes)
        observation, score = step.observation, step.score
        if over.any():
            # Only the restarted lanes' rows are taken from here: the changes in the others' last step are in theirs.
            fresh = self._begin(np.flatnonzero(over).tolist())
            observation[over], score[over] = fresh[over], self.tuner.score[over]
        reward = np.where(over, 0.0, step.reward)
        terminated = (step.failed | step.finished) & ~over
        self._over = terminated.copy()
        reason = ["" if was_over else why for was_over, why in zip(over, step.reason, strict=True)]
        return observation, reward, terminated, np.zeros_like(terminated), self._info(score, reason)

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to release."""

    def _begin(self, lanes: Any) -> np.ndarray:
        chosen = list(lanes)
        instances = [self._pool[int(i)] for i in self._random.integers(len(self._pool), size=len(chosen))]
        seeds = self._random.integers(MAX_SEED, size=len(chosen)).tolist()
        return self.tuner.begin(chosen, instances, seeds, values=self.config.starts(self._random, len(chosen)))

    @staticmethod
    def _info(score: np.ndarray, reason: list[str]) -> dict[str, Any]:
        return {"score": score.copy(), "reason": np.array(reason, dtype=object)}

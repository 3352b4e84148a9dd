"""Several studies' environments as one: what an agent is trained on that is to work elsewhere."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from pydantic import Field, model_validator

from qsynth.config import Config, parse
from qsynth.execution.place import Place
from qsynth.metrics.score import ScoreConfig
from qsynth.space.search_space import Dimension, Float, Int
from rl_envs.config import EnvironmentConfig
from rl_envs.encoding import Encoding
from rl_envs.observation import LIMIT, feature_names
from rl_envs.spaces import ActionEntry, Recover, action_space
from rl_envs.tuner import EpisodeConfig
from rl_envs.vector_env import QGANTuningVectorEnv


class CurriculumConfig(Config):
    """Tasks that an agent learns side by side, each a study's environment; their episodes have the same number of
    decisions, and the same largest step.

    What it sees and does is the union over the tasks, by name: what a task lacks is 0, what it does there has no
    effect. A hyperparameter's scale reaches from the lowest limit to the highest.

    Attributes:
        known: what the agent does already that training starts from; left out: the union over the tasks.
        seen: names of what the agent sees; left out: all that there is to see.
    """

    tasks: dict[str, EnvironmentConfig] = Field(min_length=1)
    known: dict[str, ActionEntry] | None = None
    seen: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        seen = {(task.episode.n_decisions, task.episode.max_step) for task in self.tasks.values()}
        if len(seen) > 1:
            raise ValueError("tasks must agree in episode.n_decisions and episode.max_step")
        _ = self.actions
        return self

    @property
    def episode(self) -> EpisodeConfig:
        """What all tasks have in common of an episode."""
        return next(iter(self.tasks.values())).episode

    @property
    def actions(self) -> dict[str, ActionEntry]:
        """What agents may do, in one task or another."""
        if self.known is not None:
            return dict(self.known)
        union: dict[str, ActionEntry] = {}
        for task in self.tasks.values():
            for name, entry in task.actions.items():
                union[name] = _joined(name, union.get(name, entry), entry)
        return dict(sorted(union.items()))

    @property
    def features(self) -> list[str]:
        """Names of what agents see."""
        if self.seen is not None:
            return list(self.seen)
        space: dict[str, Dimension] = {n: e for n, e in self.actions.items() if not isinstance(e, Recover)}
        return feature_names(space, list(ScoreConfig().weights))

    def only(self, tasks: Sequence[str]) -> Self:
        """Some of the tasks, with what agents do in all of them."""
        return self.model_copy(
            update={"tasks": {name: self.tasks[name] for name in tasks}, "known": dict(self.actions)}
        )

    def at(self, place: Place) -> Self:
        """The same where populations compute at ``place``."""
        return self.model_copy(update={"tasks": {name: task.at(place) for name, task in self.tasks.items()}})


class CurriculumVectorEnv(VectorEnv[np.ndarray, dict[str, np.ndarray], np.ndarray]):
    """``num_envs`` trials in lockstep, dealt out evenly to the tasks, a population each.

    Args:
        num_envs: lanes of all tasks together, at least one each.
        config: a ``CurriculumConfig`` or its plain-data form.

    Attributes:
        parts: each task's lanes.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int, config: Any) -> None:
        known = isinstance(config, CurriculumConfig)
        curriculum = config if known else parse(CurriculumConfig, config, source="curriculum")
        self.config, self.num_envs = curriculum, num_envs
        parts = np.array_split(np.arange(num_envs), len(curriculum.tasks))
        self.parts = [slice(part[0], part[-1] + 1) for part in parts]
        self.envs = [QGANTuningVectorEnv(len(p), t) for p, t in zip(parts, curriculum.tasks.values(), strict=True)]
        actions, features = curriculum.actions, curriculum.features
        self._encodings = [
            Encoding(features, actions, env.tuner.features, env.tuner.actions, curriculum.episode.max_step)
            for env in self.envs
        ]
        self.single_observation_space = spaces.Box(-LIMIT, LIMIT, (len(features),), np.float32)
        self.single_action_space = action_space(actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start a new episode in every lane; ``seed`` fixes all instances and trial seeds from now on."""
        begun = [
            env.reset(seed=None if seed is None else [*np.atleast_1d(seed).tolist(), index])  # type: ignore[arg-type]
            for index, env in enumerate(self.envs)
        ]
        seen = [
            encoding.observe(observation, env.tuner.values)
            for env, encoding, (observation, _) in zip(self.envs, self._encodings, begun, strict=True)
        ]
        return np.concatenate(seen), _joined_infos([info for _, info in begun])

    def step(
        self, actions: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One decision in every lane; a lane whose episode is over is reset instead."""
        seen, results = [], []
        for env, encoding, part in zip(self.envs, self._encodings, self.parts, strict=True):
            own = {name: np.asarray(action)[part] for name, action in actions.items()}
            observation, *rest = env.change(encoding.moves(env.tuner.values, own))
            seen.append(encoding.observe(observation, env.tuner.values))
            results.append(rest)
        rewards, terminated, truncated, infos = zip(*results, strict=True)
        joined = (np.concatenate(column) for column in (seen, rewards, terminated, truncated))
        return *joined, _joined_infos(infos)  # type: ignore[return-value]

    def close_extras(self, **kwargs: Any) -> None:
        """Nothing to release."""


def _joined(name: str, one: ActionEntry, other: ActionEntry) -> ActionEntry:
    """The entry that reaches as far as both.

    Raises:
        ValueError: they are not alike.
    """
    if isinstance(one, Float | Int) and isinstance(other, Float | Int) and one.kind == other.kind:
        return one.replaced(low=min(one.low, other.low), high=max(one.high, other.high))
    if one != other:
        raise ValueError(f"tasks must agree in what {name} is; got {one.kind} and {other.kind}")
    return one


def _joined_infos(infos: Any) -> dict[str, Any]:
    return {name: np.concatenate([info[name] for info in infos]) for name in ("score", "reason")}

"""Trials under simple baselines, as an agent sees and does them: what it can imitate before it learns by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qsynth.space.search_space import Float, Int
from rl_envs.agents import MIN_DECAY, Schedule
from rl_envs.curriculum import CurriculumConfig, CurriculumVectorEnv
from rl_envs.encoding import VALUE
from rl_envs.spaces import DOWN, STAY, UP, Entries, stay_action

KEPT = 0.1  # of a task's trials: those with the largest return


@dataclass(frozen=True)
class Demonstrations:
    """Decisions of good trials.

    Attributes:
        observations: decisions x features, float32.
        actions: name -> decisions x 1 (floats) or decisions (discrete).
    """

    observations: np.ndarray
    actions: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.observations)

    @classmethod
    def joined(cls, several: Sequence["Demonstrations"]) -> "Demonstrations":
        """All of them."""
        names = several[0].actions
        return cls(
            np.concatenate([each.observations for each in several]),
            {name: np.concatenate([each.actions[name] for each in several]) for name in names},
        )


class Baseline:
    """Heads for random constants, the learning rates for exponential decays from theirs, a setting of its own in each
    lane: each hyperparameter, with even odds, to a uniformly drawn value, or stays where the trial began.
    """

    def __init__(self, actions: Entries, features: list[str], max_step: float, random: np.random.Generator) -> None:
        self._actions, self._max_step, self._random = dict(actions), max_step, random
        self._columns = {name: features.index(VALUE + name) for name in actions if VALUE + name in features}
        self._targets: dict[str, np.ndarray] = {}
        self._decay = np.zeros(0)

    def begin(self, observation: np.ndarray) -> None:
        """Draw what to head for in an episode that begins."""
        n = len(observation)
        for name in self._columns:
            drawn = np.where(self._random.random(n) < 0.5, self._random.random(n), self._present(name, observation))
            self._targets[name] = drawn
        self._decay = np.where(self._random.random(n) < 0.5, MIN_DECAY ** self._random.random(n), 1.0)

    def act(self, observation: np.ndarray, progress: float) -> dict[str, np.ndarray]:
        """Actions of all lanes, as the action space batches them."""
        n = len(observation)
        stay = stay_action(self._actions)
        found = {name: np.repeat(np.asarray(stay[name])[None], n, axis=0) for name in self._actions}
        for name in self._columns:
            entry, present = self._actions[name], self._present(name, observation)
            target = self._targets[name]
            if isinstance(entry, Float):
                if name in Schedule.LEARNING_RATES and entry.log:
                    target = target + progress * np.log(self._decay) / np.log(entry.high / entry.low)
                move = np.clip((np.clip(target, 0, 1) - present) / self._max_step, -1, 1)
                found[name] = move[:, None].astype(np.float32)
            elif isinstance(entry, Int):
                there, here = (np.round(each * (entry.high - entry.low)) for each in (target, present))
                found[name] = np.select([there < here, there > here], [DOWN, UP], STAY)
        return found

    def _present(self, name: str, observation: np.ndarray) -> np.ndarray:
        return (observation[:, self._columns[name]] + 1.0) / 2.0


def demonstrate(config: CurriculumConfig, n_lanes: int, n_episodes: int, seed: int) -> Demonstrations:
    """Play ``n_episodes`` in each of ``n_lanes`` under :class:`Baseline`, and keep the best tenth of each task's.

    Of a trial only what led to its last gain is kept.
    """
    env = CurriculumVectorEnv(n_lanes, config)
    random = np.random.default_rng(seed)
    baseline = Baseline(config.actions, config.features, config.episode.max_step, random)
    seen, done, rewards = [], [], []
    for _ in range(n_episodes):
        observation, _ = env.reset(seed=int(random.integers(2**31)))
        baseline.begin(observation)
        alive = np.ones(n_lanes, dtype=bool)
        for decision in range(config.episode.n_decisions):
            actions = baseline.act(observation, decision / config.episode.n_decisions)
            seen.append(observation)
            done.append(actions)
            observation, reward, terminated, *_ = env.step(actions)
            rewards.append(np.where(alive, reward, 0.0))
            alive &= ~terminated
    shape = n_episodes, config.episode.n_decisions, n_lanes
    gains = np.array(rewards).reshape(shape)
    useful = np.cumsum((gains > 0)[:, ::-1], axis=1)[:, ::-1] > 0  # this decision or a later one gains something
    chosen = useful & _best(gains.sum(axis=1), env.parts)[:, None]
    flat = chosen.reshape(-1, n_lanes)
    return Demonstrations(
        np.array(seen)[flat], {name: np.array([each[name] for each in done])[flat] for name in config.actions}
    )


def _best(returns: np.ndarray, parts: Sequence[slice]) -> np.ndarray:
    """Which trials (episodes x lanes) are among the best tenth of their task's."""
    found = np.zeros(returns.shape, dtype=bool)
    for part in parts:
        own = returns[:, part]
        found[:, part] = own >= np.quantile(own, 1.0 - KEPT)
    return found

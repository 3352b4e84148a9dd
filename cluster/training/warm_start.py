"""A policy that imitates simple baselines, for an agent to begin with."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import ray

from cluster.study.placement import Placement
from rl_envs.cloning import clone
from rl_envs.curriculum import CurriculumConfig
from rl_envs.demonstrations import Demonstrations, demonstrate
from rl_envs.policy import PolicyConfig, PolicyNetwork


class WarmStart(NamedTuple):
    """A cloned policy, and what it took: trials of baselines, decisions of theirs that were imitated, seconds."""

    network: PolicyNetwork
    trials: int
    decisions: int
    seconds: float


def warm_start(
    environment: CurriculumConfig,
    config: PolicyConfig,
    sizes: Mapping[Placement, int],
    n_trials: int,
    seed: int,
    check: Callable[[], None],
) -> WarmStart:
    """Play at least ``n_trials`` of baselines on as many populations as there are, and clone the best.

    Args:
        check: called about every second; what it raises ends the waiting.
    """
    began = time.monotonic()
    kinds = [kind for kind, count in sizes.items() for _ in range(count)]
    n_episodes = -(-n_trials // sum(kind.n_lanes for kind in kinds))
    played = [
        _demonstrate.options(**kind.options()).remote(environment, kind.n_lanes, n_episodes, seed + index)
        for index, kind in enumerate(kinds)
    ]
    waiting = list(played)
    while waiting:
        check()
        _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=1.0)
    demonstrations = Demonstrations.joined(ray.get(played))
    network = PolicyNetwork(len(environment.features), environment.actions, config)
    clone(network, demonstrations, seed)
    trials = n_episodes * sum(kind.n_lanes for kind in kinds)
    return WarmStart(network.eval(), trials, len(demonstrations), time.monotonic() - began)


@ray.remote  # type: ignore[untyped-decorator]
def _demonstrate(environment: CurriculumConfig, n_lanes: int, n_episodes: int, seed: int) -> Demonstrations:
    import torch

    torch.set_num_threads(1)
    return demonstrate(environment, n_lanes, n_episodes, seed)

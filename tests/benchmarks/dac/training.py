"""An agent trained on a benchmark by the project's own module and settings."""

import time
from typing import Any, NamedTuple

import psutil
from gymnasium.wrappers.vector import TransformReward
from ray.tune.registry import register_env

from cluster.study.ppo_config import PPOConfig
from cluster.training.rllib_settings import rllib_settings
from rl_envs.policy import PolicyNetwork
from tests.benchmarks.dac.benchmarks import environment

ENVIRONMENT = "dac"


class Trained(NamedTuple):
    """What came of it.

    Attributes:
        steps: environment steps that it learned from.
        cpu_seconds: of this process, which samples and learns, the algorithm's construction included.
        ray_cpu_seconds: of Ray's own processes beside it meanwhile.
    """

    network: PolicyNetwork
    steps: int
    cpu_seconds: float
    ray_cpu_seconds: float


def train(name: str, config: PPOConfig, n_lanes: int, max_steps: int, seed: int) -> Trained:
    """As many updates as fit ``max_steps``, each learned from ``n_steps`` of every lane: an episode, but on OneMax."""
    began, ray_began = time.process_time(), _ray_seconds()
    register_env(ENVIRONMENT, _make)
    env = environment(name, 1)
    batch = n_lanes * env.n_steps
    algorithm = (
        rllib_settings(config, env.entries, batch, seed)
        .environment(ENVIRONMENT, env_config={"name": name})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=n_lanes, rollout_fragment_length=env.n_steps)
        .build_algo()
    )
    try:
        steps = 0
        while steps + batch <= max_steps:
            steps = int(algorithm.train()["env_runners"]["num_env_steps_sampled_lifetime"])
        network = algorithm.get_module().policy.eval()
    finally:
        algorithm.stop()
    return Trained(network, steps, time.process_time() - began, _ray_seconds() - ray_began)


def _make(context: Any) -> TransformReward:
    env = environment(context["name"], context["num_envs"])
    return TransformReward(env, lambda reward: reward / env.reward_scale)


def _ray_seconds() -> float:
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)

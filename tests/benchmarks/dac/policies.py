"""Returns of policies: chance, constants, the optimum and a trained network."""

import itertools
from collections.abc import Callable

import numpy as np
import torch

from rl_envs.policy import PolicyNetwork
from tests.benchmarks.dac.environment import DacEnv

Policy = Callable[[DacEnv, np.ndarray], dict[str, np.ndarray]]
GRID = 101


def returns(env: DacEnv, policy: Policy, seed: int = 0) -> np.ndarray:
    """Of one episode in every lane."""
    observation, _ = env.reset(seed=seed)
    total = np.zeros(env.num_envs)
    for _ in range(env.n_steps):
        observation, reward, *_ = env.step(policy(env, observation))
        total += reward
    return total


def chance(seed: int) -> Policy:
    """Uniform over the settings."""
    random = np.random.default_rng(seed)

    def policy(env: DacEnv, _: np.ndarray) -> dict[str, np.ndarray]:
        draws = [
            random.random(env.num_envs) if n is None else random.integers(n, size=env.num_envs)
            for n in env.n_values.values()
        ]
        return env.actions(np.stack(draws, axis=1))

    return policy


def constant(settings: tuple[float, ...]) -> Policy:
    """The same settings in all lanes at all steps."""
    return lambda env, _: env.actions(np.tile(np.array(settings, dtype=float), (env.num_envs, 1)))


def best_constant(env: DacEnv) -> tuple[float, ...]:
    """The settings with the highest mean return; continuous ones out of 101 values."""
    choices = [np.linspace(0, 1, GRID) if n is None else np.arange(n) for n in env.n_values.values()]
    return max(itertools.product(*choices), key=lambda settings: float(returns(env, constant(settings)).mean()))


def oracle(env: DacEnv, _: np.ndarray) -> dict[str, np.ndarray]:
    """The greatest reward at each step, which is the optimum, as no action changes a later reward."""
    return env.actions(env.best())


def greedy(network: PolicyNetwork) -> Policy:
    """The likeliest actions."""

    def policy(_: DacEnv, observation: np.ndarray) -> dict[str, np.ndarray]:
        with torch.no_grad():
            return {name: action.numpy() for name, action in network.greedy(torch.from_numpy(observation)).items()}

    return policy

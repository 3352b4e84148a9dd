"""Sigmoid of Biedenkapp et al. (2020) with two curves and three values each, as in their code."""

import numpy as np

from tests.benchmarks.dac.curves import CurvesEnv, Instances

N_STEPS = 11
N_VALUES = (3, 3)
MAX_SLOPE = 2.0


def instances(n: int, seed: int) -> Instances:
    """Slopes uniform in [-2, 2], shifts from N(T / 2, T / 4)."""
    random = np.random.default_rng(seed)
    slopes = random.uniform(-MAX_SLOPE, MAX_SLOPE, (n, len(N_VALUES)))
    shifts = random.normal(N_STEPS / 2, N_STEPS / 4, (n, len(N_VALUES)))
    law = np.array([[0.0, N_STEPS / 2], [MAX_SLOPE / np.sqrt(3), N_STEPS / 4]])
    mean, sd = np.repeat(law[:, None], len(N_VALUES), axis=1)
    return Instances(np.stack([slopes, shifts], axis=-1), mean, sd)


class SigmoidEnv(CurvesEnv):
    """Reward prod_i (1 - |f_i(t) - a_i|) at t = 0..10."""

    def __init__(self, num_envs: int, instances: Instances) -> None:
        super().__init__(num_envs, N_STEPS, N_VALUES, instances, first=0)

    def reward(self, distances: np.ndarray) -> np.ndarray:
        return np.asarray((1 - distances).prod(axis=1))

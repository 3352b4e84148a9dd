"""FunctionApproximation of DACBench 0.5.6 with sigmoid curves; Sigmoid is its case of discrete settings there."""

from collections.abc import Sequence

import numpy as np

from tests.benchmarks.dac.curves import BOUND, CurvesEnv, Instances

N_STEPS = 10
MIXED: tuple[int | None, ...] = (None, 10)
SIGMOID_2D3M: tuple[int | None, ...] = (3, 3)


def instances(n: int, seed: int) -> Instances:
    """Pairs of curves with slope and shift from N(4, 2) for the first, from N(2, 4) for the second curve.

    These are the laws in the package's sampling notebook (cut at 5 standard deviations) as its files
    ``sigmoid_2D3M_*.csv`` have them, where each law holds for both parameters of a curve.
    """
    mean, sd = np.array([[4.0, 4.0], [2.0, 2.0]]), np.array([[2.0, 2.0], [4.0, 4.0]])
    drawn = np.random.default_rng(seed).standard_normal((n, 2, 2))
    return Instances(mean + sd * np.clip(drawn, -BOUND, BOUND), mean, sd)


class FunctionApproximationEnv(CurvesEnv):
    """Reward mean_i exp(-w_i |f_i(t) - a_i|) at t = 1..10, with weights w_i of 1 over the number of curves.

    The state leaves out the kinds of functions, as all are sigmoids (``omit_instance_type`` in the package).
    """

    def __init__(self, num_envs: int, n_values: Sequence[int | None], instances: Instances) -> None:
        super().__init__(num_envs, N_STEPS, n_values, instances, first=1)

    def reward(self, distances: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(-distances / distances.shape[1]).mean(axis=1))

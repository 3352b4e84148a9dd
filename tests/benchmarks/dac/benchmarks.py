"""The benchmarks by name, each with instances to train on and others to test on."""

from collections.abc import Callable

from tests.benchmarks.dac import function_approximation, sigmoid
from tests.benchmarks.dac.environment import DacEnv
from tests.benchmarks.dac.function_approximation import MIXED, SIGMOID_2D3M, FunctionApproximationEnv
from tests.benchmarks.dac.luby import LubyEnv
from tests.benchmarks.dac.one_max import OneMaxEnv
from tests.benchmarks.dac.sigmoid import SigmoidEnv

N_INSTANCES = 300  # for training, and as many for testing, as in DACBench
TRAINING, TEST = 0, 1  # seeds of the instances

BENCHMARKS: dict[str, Callable[[int, int], DacEnv]] = {
    "function_approximation": lambda lanes, seed: FunctionApproximationEnv(
        lanes, MIXED, function_approximation.instances(N_INSTANCES, seed)
    ),
    "sigmoid_2d3m": lambda lanes, seed: FunctionApproximationEnv(
        lanes, SIGMOID_2D3M, function_approximation.instances(N_INSTANCES, seed)
    ),
    "sigmoid_2020": lambda lanes, seed: SigmoidEnv(lanes, sigmoid.instances(N_INSTANCES, seed)),
    "luby_8": lambda lanes, _: LubyEnv(lanes, 8),
    "luby_16": lambda lanes, _: LubyEnv(lanes, 16),
    "luby_32": lambda lanes, _: LubyEnv(lanes, 32),
}

ONE_MAX = {"one_max_100": 100, "one_max_200": 200}  # sizes
ONE_MAX_STEPS = 64


def environment(name: str, n_lanes: int) -> DacEnv:
    """To train on."""
    if name in ONE_MAX:
        return OneMaxEnv(n_lanes, ONE_MAX[name], ONE_MAX_STEPS)
    return BENCHMARKS[name](n_lanes, TRAINING)

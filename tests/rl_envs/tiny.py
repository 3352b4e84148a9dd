"""The smallest environment in which everything happens: three decisions of two iterations, every kind of dimension."""

from typing import Any

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.space.search_space import Choice, Float, Int, SearchSpace
from rl_envs.config import EnvironmentConfig, make_tuner
from rl_envs.tuner import Tuner

# Deliberately not in sorted order.
SPACE: SearchSpace = {
    "n_critic": Int(low=1, high=3),
    "lr_generator": Float(low=1e-4, high=1e-1, log=True),
    "batch_size": Choice(values=(2, 4, 6)),
    "beta1": Float(low=0.0, high=0.9),
}
N_DECISIONS = 3
TRIAL: dict[str, Any] = {
    "n_qubits": 2,
    "capacity": {"latent_dim": 2, "n_layers": 2, "critic_width": 4, "batch_size": 6, "n_critic": 3},
    "defaults": {
        "n_layers": 2,
        "critic_width": 4,
        "batch_size": 4,
        "n_critic": 1,
        "lr_generator": 0.02,
        "lr_critic": 0.02,
    },
    "search_space": SPACE,
    "score": {"balance": 0, "utility": 0, "n_rows": 32},
}
PENALTY = 0.2
MAX_REWARD = np.log(11.0) + PENALTY


def gain(before: Any, after: Any) -> Any:
    """What the default reward pays for a change of the score."""
    return np.log(1.1 - np.minimum(before, 1)) - np.log(1.1 - np.minimum(after, 1))


def environment(**episode: Any) -> EnvironmentConfig:
    """A config whose episode settings are changed by ``episode``."""
    return EnvironmentConfig.model_validate(
        {
            "data": {"kind": "gaussian", "n_train": 32, "n_validation": 32, "n_test": 32},
            "trial": TRIAL,
            "episode": {"n_decisions": N_DECISIONS, "iterations_per_decision": 2, **episode},
            "n_instances": 6,
        }
    )


def instances(n: int) -> list[Instance]:
    """The first training instances."""
    return [environment().data.instance(seed, held_out=False) for seed in range(n)]


def tuner(n_lanes: int, **episode: Any) -> Tuner:
    """A tuner that has begun an episode in every lane."""
    made = make_tuner(environment(**episode), n_lanes)
    made.begin(range(n_lanes), instances(n_lanes), range(20, 20 + n_lanes))
    return made


def feature(made: Tuner, observation: np.ndarray, name: str) -> np.ndarray:
    """One column of lanes x features."""
    column: np.ndarray = observation[:, made.features.index(name)]
    return column

"""qsynth in Ray Tune: its trials under any of Tune's searchers and schedulers, and its agent as one of them."""

from cluster.ray_tune.optuna_storage import to_optuna
from cluster.ray_tune.scheduler import AgentScheduler
from cluster.ray_tune.space import bounds, defaults, mutations, param_space
from cluster.ray_tune.synthesizer import synthesizer
from cluster.ray_tune.tracking import MLflowTracking
from cluster.ray_tune.trainable import GanTrainable, trainable

__all__ = [
    "AgentScheduler",
    "GanTrainable",
    "MLflowTracking",
    "bounds",
    "defaults",
    "mutations",
    "param_space",
    "synthesizer",
    "to_optuna",
    "trainable",
]

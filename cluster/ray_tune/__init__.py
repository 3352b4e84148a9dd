"""qsynth in Ray Tune: its trials under any of Tune's searchers and schedulers, and its agent as one of them."""

from cluster.ray_tune.space import bounds, defaults, mutations, param_space
from cluster.ray_tune.trainable import GanTrainable, trainable

__all__ = ["GanTrainable", "bounds", "defaults", "mutations", "param_space", "trainable"]

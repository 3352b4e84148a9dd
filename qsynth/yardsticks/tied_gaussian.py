"""The model of linear discriminant analysis."""

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.yardsticks.gaussians import Gaussians
from qsynth.yardsticks.yardstick import ByClass, class_rows, pooled_covariance


class TiedGaussian:
    """For each class a normal distribution with a mean of its own and the covariance that all have in common."""

    name = "tied Gaussian"
    about = "a normal distribution a class, one covariance for all"
    ceiling = False

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Learn from the training rows; nothing is random."""
        covariance = pooled_covariance(instance)[None]

        def law(label: int) -> Gaussians:
            mean = class_rows(instance.train, label).mean(axis=0, keepdims=True)
            return Gaussians.of(np.ones(1), mean, covariance)

        return ByClass.of(instance, law)

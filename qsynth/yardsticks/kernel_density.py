"""Kernel densities."""

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.yardsticks.gaussians import Gaussians
from qsynth.yardsticks.yardstick import ByClass, class_rows, pooled_covariance


class KernelDensity:
    """For each class a normal distribution about every training row, with the class's covariance times the square of
    Scott's factor [Scott 1992], ``n^(-1 / (d + 4))``: what ``scipy.stats.gaussian_kde`` draws, but for rows that have
    no spread in some direction, which SciPy refuses.

    A class with one row has the covariance that all classes have in common.
    """

    name = "kernel density"
    about = "a kernel density a class, Scott's bandwidth"
    ceiling = False

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Learn from the training rows; nothing is random."""

        def law(label: int) -> Gaussians:
            rows = class_rows(instance.train, label)
            n, d = rows.shape
            spread = pooled_covariance(instance) if n == 1 else np.cov(rows.T).reshape(d, d)
            factor = n ** (-1 / (d + 4))
            return Gaussians.of(np.full(n, 1 / n), rows, (factor**2 * spread)[None])

        return ByClass.of(instance, law)

"""Gaussian mixtures."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Mixture

from qsynth.data.dataset import Instance
from qsynth.yardsticks.gaussians import Gaussians
from qsynth.yardsticks.yardstick import ByClass, class_rows, pooled_covariance

MOST_COMPONENTS = 4
FEWEST_ROWS = 2  # of a component
RIDGE = 1e-4


class GaussianMixture:
    """For each class a mixture of 1 to 4 normal distributions with full covariances, as many as the Bayesian
    information criterion [Schwarz 1978] says, and at least two rows a component.

    A class with one row has the covariance that all classes have in common.
    """

    name = "Gaussian mixture"
    about = "a mixture of normal distributions a class, 1 to 4 components by BIC"
    ceiling = False

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Learn from the training rows; ``seed`` is of the mixtures' first guesses."""
        return ByClass.of(instance, lambda label: self._law(instance, label, seed))

    def _law(self, instance: Instance, label: int, seed: int) -> Gaussians:
        rows = class_rows(instance.train, label)
        most = min(MOST_COMPONENTS, len(np.unique(rows, axis=0)), len(rows) // FEWEST_ROWS)
        if most == 0:
            return Gaussians.of(np.ones(1), rows, pooled_covariance(instance)[None])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the criterion judges what came of it
            fitted = [
                Mixture(size, reg_covar=RIDGE, random_state=seed % 2**32).fit(rows) for size in range(1, most + 1)
            ]
        best = min(fitted, key=lambda each: float(each.bic(rows)))
        return Gaussians.of(best.weights_ / best.weights_.sum(), best.means_, best.covariances_)

"""A mixture of normal distributions, the law of several yardsticks."""

from dataclasses import dataclass

import numpy as np

from qsynth.yardsticks.yardstick import Floats

RIDGE = 1e-8  # variance that every direction has at least, so that constant columns have a Cholesky factor


@dataclass(frozen=True)
class Gaussians:
    """Normal distributions, one of which makes each row.

    Attributes:
        weights: ``k``, of sum 1.
        means: ``k x d``.
        factors: ``k x d x d`` lower Cholesky factors of the covariances, or ``1 x d x d`` if all have the same.
    """

    weights: Floats
    means: Floats
    factors: Floats

    @classmethod
    def of(cls, weights: Floats, means: Floats, covariances: Floats) -> "Gaussians":
        """From covariances (``k x d x d``, or ``1 x d x d``), which may be singular."""
        return cls(weights, means, np.linalg.cholesky(covariances + RIDGE * np.eye(means.shape[1])))

    def sample(self, n: int, random: np.random.Generator) -> Floats:
        """``n x d`` rows."""
        chosen = random.choice(len(self.weights), size=n, p=self.weights)
        factors = self.factors[chosen % len(self.factors)]
        noise = random.normal(size=(n, self.means.shape[1]))
        return np.asarray(self.means[chosen] + np.einsum("nij,nj->ni", factors, noise))

"""Factors of an autoencoder in place of principal components, for :mod:`tests.benchmarks.own_tables_parts`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.neural_network import MLPRegressor

Floats = NDArray[np.float64]
WIDTH = 32


@dataclass(frozen=True, eq=False)
class LearnedLatent:
    """Encoder and decoder of one hidden layer each; what they leave over is normal, with its own covariance.

    Attributes:
        network: scores to scores through ``n_factors`` tanh units.
        residual: a square root of the covariance of what it leaves over.
        deviations: of the factors, which are divided by them.
    """

    network: Any
    residual: Floats
    deviations: Floats
    n_factors: int

    @classmethod
    def fit(cls, scores: Floats, n_factors: int) -> "LearnedLatent":
        """From scores of real rows (``n x p``)."""
        n_factors = min(n_factors, scores.shape[1])
        sizes = (WIDTH, n_factors, WIDTH)
        network = MLPRegressor(
            hidden_layer_sizes=sizes, activation="tanh", solver="lbfgs", alpha=1.0, max_iter=500, random_state=0
        )
        network.fit(scores, scores)
        made = cls(network, np.zeros((1, 1)), np.ones(n_factors), n_factors)
        factors = made.factors(scores)
        left_over = scores - made._decoded(factors)
        values, vectors = np.linalg.eigh(ledoit_wolf(left_over)[0])
        return cls(network, vectors * np.sqrt(values.clip(min=0)), factors.std(axis=0).clip(min=1e-6), n_factors)

    @property
    def components(self) -> Floats:
        """As many as there are scores."""
        return self.residual

    @property
    def share_kept(self) -> float:
        """Share of the scores' variance that the factors have, the scores' being 1 each."""
        return 1 - float((self.residual**2).sum()) / len(self.residual)

    def factors(self, scores: Floats) -> Floats:
        """Factors (``n x d``) of scores (``n x p``)."""
        hidden = scores
        for layer in range(2):
            hidden = np.tanh(hidden @ self.network.coefs_[layer] + self.network.intercepts_[layer])
        return np.asarray(hidden / self.deviations)

    def scores(self, factors: Floats, random: np.random.Generator) -> Floats:
        """Scores (``n x p``) of factors (``n x d``), what is left over drawn anew."""
        left_over = random.normal(size=(len(factors), len(self.residual))) @ self.residual.T
        return self._decoded(factors) + left_over

    def _decoded(self, factors: Floats) -> Floats:
        hidden = (factors * self.deviations).clip(-1, 1)
        hidden = np.tanh(hidden @ self.network.coefs_[2] + self.network.intercepts_[2])
        return np.asarray(hidden @ self.network.coefs_[3] + self.network.intercepts_[3])


@contextmanager
def learned_latent() -> Iterator[None]:
    """Tables fitted in this context have it."""
    with mock.patch("qsynth.synthesis.table_fit.Latent", LearnedLatent):
        yield

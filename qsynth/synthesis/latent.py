"""Few factors that a circuit learns, and what of many scores they leave over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

FLATTEST = 1e-6  # variance that every direction has at least

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Latent:
    """Scores (``n x p``) to factors (``n x d``) and back with a residual, so that rows have full rank.

    Factors are the leading principal components of the scores within classes, each divided by its standard deviation;
    the other components are what is left over, normal and independent of each other. Covariances are shrunk [Ledoit &
    Wolf 2004].

    Attributes:
        components: ``p x p`` orthonormal directions, the widest first.
        deviations: ``p``, of the scores along them.
        n_factors: ``d``.
    """

    components: Floats
    deviations: Floats
    n_factors: int

    @classmethod
    def fit(cls, scores: Floats, n_factors: int) -> Self:
        """From scores of real rows (``n x p``)."""
        covariance = ledoit_wolf(scores)[0] if len(scores) > 1 else np.eye(scores.shape[1])
        variances, vectors = np.linalg.eigh(covariance)
        vectors = vectors[:, ::-1].T
        signs = np.sign(vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)])
        deviations = np.sqrt(variances[::-1].clip(min=FLATTEST))
        return cls(vectors * signs[:, None], deviations, min(n_factors, scores.shape[1]))

    @property
    def share_kept(self) -> float:
        """Share of the scores' variance that the factors have."""
        variances = self.deviations**2
        return float(variances[: self.n_factors].sum() / variances.sum())

    def factors(self, scores: Floats) -> Floats:
        """Factors (``n x d``) of scores (``n x p``)."""
        d = self.n_factors
        return np.asarray(scores @ self.components[:d].T / self.deviations[:d])

    def scores(self, factors: Floats, random: np.random.Generator) -> Floats:
        """Scores (``n x p``) of factors (``n x d``), what is left over drawn anew."""
        left_over = random.normal(size=(len(factors), len(self.components) - self.n_factors))
        return np.asarray((np.hstack([factors, left_over]) * self.deviations) @ self.components)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, lossless state."""
        return {
            "components": self.components.tolist(),
            "deviations": self.deviations.tolist(),
            "n_factors": self.n_factors,
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The latent that :meth:`to_dict` described.

        Raises:
            ValueError, TypeError or KeyError: the state isn't one of those.
        """
        components, deviations = (np.array(state[name], dtype=np.float64) for name in ("components", "deviations"))
        n_factors, p = int(state["n_factors"]), len(deviations)
        if components.shape != (p, p) or deviations.shape != (p,) or not 0 < n_factors <= p:
            raise ValueError(f"components of shape {components.shape}, {n_factors} factors of {p}")
        if not np.isfinite(components).all() or not (deviations > 0).all():
            raise ValueError("components or deviations that are not finite or not positive")
        return cls(components, deviations, n_factors)

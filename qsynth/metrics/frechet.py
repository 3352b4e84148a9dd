"""The second source paper's measure of diversity, and the entropy in its reward."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm

RIDGE = 1e-9  # variance that every direction has at least

Rows = NDArray[np.float32]


def frechet(first: Rows, second: Rows) -> float:
    """Frechet distance between normal distributions with the means and covariances of two samples (``n x d``).

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` [Dowson & Landau 1982; Heusel et al. 2017].
    """
    means = [each.mean(axis=0, dtype=np.float64) for each in (first, second)]
    covariances = [np.atleast_2d(np.cov(each.astype(np.float64), rowvar=False)) for each in (first, second)]
    root = np.real(sqrtm(covariances[0] @ covariances[1] + RIDGE * np.eye(first.shape[1])))
    distance = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    return float(max(distance, 0.0))


def entropy(rows: Rows) -> float:
    """Entropy in nats of the normal distribution with the rows' covariance, ``log det(2 pi e C) / 2``."""
    covariance = np.atleast_2d(np.cov(rows.astype(np.float64), rowvar=False))
    d = rows.shape[1]
    return float(0.5 * np.linalg.slogdet(2 * np.pi * np.e * (covariance + RIDGE * np.eye(d)))[1])

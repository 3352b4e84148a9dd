"""Distances between two samples of rows."""

import numpy as np
from scipy.spatial.distance import cdist

from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError

N_DIRECTIONS = 128
N_QUANTILES = 200


def sliced_wasserstein(first: Floats, second: Floats, seed: int) -> float:
    """Mean over 128 random directions of the 1-Wasserstein distance of two samples (``n x width``, ``m x width``).

    In standard deviations of a column (Rabin et al., 2012); quantiles at 200 places stand for unequal sizes.
    """
    _check(first, second)
    directions = np.random.default_rng(seed).standard_normal((first.shape[1], N_DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    places = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    quantiles = [np.quantile(sample @ directions, places, axis=0) for sample in (first, second)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())


def energy_distance(first: Floats, second: Floats) -> float:
    """Square root of ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` (Székely and Rizzo, 2013), never below 0."""
    _check(first, second)
    squared = 2 * cdist(first, second).mean() - cdist(first, first).mean() - cdist(second, second).mean()
    return float(np.sqrt(max(squared, 0.0)))


def _check(first: Floats, second: Floats) -> None:
    if not len(first) or not len(second) or not first.shape[1]:
        raise UnmeasuredError("it needs a row on each side, and a column")

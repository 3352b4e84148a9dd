"""Scores of values that are missing, as likely as the row's other scores make them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHRINKAGE = 0.1  # towards no correlation
FEWEST_ROWS = 5  # that a pair of columns must share
MOST_PATTERNS = 500  # of missing values that are looked at one by one

Floats = NDArray[np.float64]


def likely_correlation(scores: Floats) -> Floats:
    """Correlations (``p x p``, positive definite) of scores (``n x p``) with NaN, from the rows that pairs share."""
    found = pd.DataFrame(scores).corr(min_periods=FEWEST_ROWS).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(found, 1.0)
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * found + SHRINKAGE * np.eye(len(found)))
    return np.asarray(vectors @ np.diag(values.clip(min=SHRINKAGE / 2)) @ vectors.T)


def fill(scores: Floats, missing: NDArray[np.bool_], correlation: Floats, random: np.random.Generator) -> Floats:
    """Scores (``n x p``) with the missing ones drawn from the normal distribution given the row's others.

    Rows of the 500 most frequent patterns of missing values are filled so, those of the rest without regard to others.
    """
    filled = scores.copy()
    filled[missing] = random.normal(size=int(missing.sum()))
    patterns, which, counts = np.unique(missing, axis=0, return_inverse=True, return_counts=True)
    for index in np.argsort(-counts, kind="stable")[:MOST_PATTERNS]:
        gaps, rows = patterns[index], np.flatnonzero(which.ravel() == index)
        if not gaps.any() or gaps.all():
            continue
        across = correlation[np.ix_(gaps, ~gaps)]
        slopes = np.linalg.solve(correlation[np.ix_(~gaps, ~gaps)], across.T)
        factor = np.linalg.cholesky(correlation[np.ix_(gaps, gaps)] - across @ slopes + 1e-9 * np.eye(int(gaps.sum())))
        noise = random.normal(size=(len(rows), len(factor)))
        filled[np.ix_(rows, np.flatnonzero(gaps))] = scores[np.ix_(rows, np.flatnonzero(~gaps))] @ slopes + (
            noise @ factor.T
        )
    return filled

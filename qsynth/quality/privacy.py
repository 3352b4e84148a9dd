"""Whether synthetic rows give away the rows that a model learned from."""

import numpy as np
from scipy.spatial import KDTree

from qsynth.quality.estimate import Estimate, area, share
from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError

SAME = 1e-9


def closest(rows: Floats, sample: Floats) -> Floats:
    """Distance of each row (``n x width``) to the closest of a sample (``m x width``).

    Raises:
        UnmeasuredError: a sample is empty.
    """
    if not len(rows) or not len(sample):
        raise UnmeasuredError("a sample has no rows")
    distances: Floats = KDTree(sample).query(rows)[0]
    return distances


def copies(rows: Floats, learned: Floats) -> Estimate:
    """Share of rows that are learned rows again, in every column but ids."""
    return share(closest(rows, learned) < SAME)


def memorised(rows: Floats, learned: Floats, unseen: Floats) -> float:
    """By how much rows are nearer to learned rows than to unseen ones: 1/2 not at all, 1 for copies.

    The share of rows whose closest real row was learned, beside the learned rows' share of the real ones, which it is
    without memory; brought to a scale on which the latter is 1/2. Ties, as in tables of few levels, count as without
    memory.
    """
    near, far = closest(rows, learned), closest(rows, unseen)
    expected = len(learned) / (len(learned) + len(unseen))
    found = float(np.mean(near < far)) + expected * float(np.mean(near == far))
    return 0.5 + 0.5 * (found - expected) / (1 - expected)


def membership_auc(rows: Floats, learned: Floats, unseen: Floats) -> Estimate:
    """Area under the ROC curve of guessing which real rows were learned from by how close a synthetic row is."""
    return area([-closest(unseen, rows)], [-closest(learned, rows)])

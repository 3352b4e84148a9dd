"""Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020)."""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError

NEIGHBOURS = 5


class Coverage(NamedTuple):
    """Where rows lie among real ones, and real ones among them."""

    precision: float
    recall: float
    density: float
    coverage: float


def coverage(rows: Floats, real: Floats) -> Coverage:
    """Of rows (``n x width``) against real ones (``m x width``), with balls that reach to the fifth neighbour.

    Raises:
        UnmeasuredError: fewer than two rows in a sample.
    """
    if min(len(rows), len(real)) < 2:
        raise UnmeasuredError(f"it needs 2 rows on each side; got {len(rows)} and {len(real)}")
    near = min(NEIGHBOURS, len(rows) - 1, len(real) - 1)
    between = cdist(real, rows)
    around_real, around_rows = _radii(real, near), _radii(rows, near)
    inside = between <= around_real[:, None]
    return Coverage(
        precision=float(inside.any(axis=0).mean()),
        recall=float((between <= around_rows[None, :]).any(axis=1).mean()),
        density=float(inside.sum(axis=0).mean() / near),
        coverage=float((between.min(axis=1) <= around_real).mean()),
    )


def _radii(sample: Floats, near: int) -> Floats:
    """Distance of each row to its neighbour number ``near`` (0 is itself)."""
    radii: Floats = np.partition(cdist(sample, sample), near, axis=1)[:, near]
    return radii

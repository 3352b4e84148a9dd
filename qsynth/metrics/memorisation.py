"""Whether rows are the training rows again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Floats = NDArray[np.floating[Any]]


def memorisation(rows: Floats, train: Floats, held_out: Floats) -> float:
    """Share of rows (``n x d``) that are nearer to a training row than to any row of an equally large real sample that
    nobody learned from; ties count half. 1/2 for real rows, 1 for copies.

    The larger of the two samples is cut to the size of the other.
    """
    size = min(len(train), len(held_out))
    near, far = (KDTree(sample[:size]).query(rows)[0] for sample in (train, held_out))
    return float(np.mean((np.sign(far - near) + 1) / 2))

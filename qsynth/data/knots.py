"""Knots of a piecewise map, as a file has them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_knots(
    state: Mapping[str, Any], names: tuple[str, str], *, strictly: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two lists of equally many finite numbers that ascend, ``strictly`` or with equal ones.

    Raises:
        ValueError, TypeError or KeyError: the state has none.
    """
    first, second = (np.array(state[name], dtype=np.float64) for name in names)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(f"knots of shapes {first.shape} and {second.shape}")
    for knots in (first, second):
        steps = np.diff(knots)
        if not np.isfinite(knots).all() or (steps < 0).any() or (strictly and (steps == 0).any()):
            raise ValueError("knots that do not ascend")
    return first, second

"""The next value of a discrete hyperparameter."""

import numpy as np

from qsynth.space.search_space import Choice, Int


def adjacent_value(dimension: Int | Choice, value: float, up: bool) -> float:
    """The next larger or smaller value, or the same at an end."""
    if isinstance(dimension, Int):
        return float(np.clip(value + (1 if up else -1), dimension.low, dimension.high))
    place = int(dimension.index(np.array(value))) + (1 if up else -1)
    return float(dimension.values[min(max(place, 0), len(dimension.values) - 1)])

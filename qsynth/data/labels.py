"""Which classes synthetic rows are asked to have."""

import numpy as np


def stratified(shares: np.ndarray, size: int) -> np.ndarray:
    """``size`` class indices whose counts differ from ``shares * size`` by less than one, evenly mixed."""
    bounds = np.concatenate([[0.0], np.cumsum(shares)[:-1], [1.0]])
    # The golden-ratio sequence is equidistributed in every prefix.
    points = np.sort((np.arange(size) + 0.5) / size)
    labels = np.clip(np.searchsorted(bounds, points, side="right") - 1, 0, len(shares) - 1)
    order = np.argsort((np.arange(size) * 0.6180339887498949) % 1.0, kind="stable")
    return labels[np.argsort(order, kind="stable")]

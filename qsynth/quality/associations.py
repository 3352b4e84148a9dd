"""How strongly pairs of columns depend on one another."""

from collections.abc import Sequence

import numpy as np

from qsynth.quality.features import Block, Floats


def associations(matrix: Floats, blocks: Sequence[Block]) -> Floats:
    """Of every pair of columns, ``columns x columns``.

    Pearson's correlation of two numbers, within -1..1; the correlation ratio of a number and levels, and Cramér's V of
    two sets of levels, within 0..1. 0 with a column that is constant.

    Args:
        matrix: ``n x width``, as blocks make it.
    """
    found = np.eye(len(blocks))
    if len(matrix) < 2:
        return found
    covariance = np.cov(matrix, rowvar=False, ddof=0).reshape(matrix.shape[1], matrix.shape[1])
    # Over its variance for a number, over its share for a level (shares of an indicator of height h: h mean).
    means = matrix.mean(axis=0)
    scales = np.zeros(matrix.shape[1])
    ranks = []
    for block in blocks:
        if block.nominal:
            scales[block.start : block.stop] = means[block.start : block.stop] * np.sqrt(0.5)
            ranks.append(max(int((means[block.start : block.stop] > 0).sum()) - 1, 0))
        else:
            scales[block.start] = covariance[block.start, block.start]
            ranks.append(1)
    scales = np.where(scales > 1e-12, scales, np.inf)
    for a, first in enumerate(blocks):
        for b, second in enumerate(blocks[:a]):
            part = covariance[first.start : first.stop, second.start : second.stop]
            squared = part**2 / scales[first.start : first.stop, None] / scales[None, second.start : second.stop]
            rank = min(ranks[a], ranks[b])
            strength = np.sqrt(min(float(squared.sum()) / rank, 1.0)) if rank else 0.0
            if not first.nominal and not second.nominal:
                strength *= np.sign(part[0, 0])
            found[a, b] = found[b, a] = strength
    return found


def mean_difference(first: Floats, second: Floats) -> float:
    """Mean over the pairs of the absolute difference of two tables of associations; NaN without a pair."""
    pairs = np.tril_indices(len(first), -1)
    return float(np.abs(first - second)[pairs].mean()) if len(pairs[0]) else float("nan")

"""Means over pairs of rows: what distances between samples are made of.

Within a sample a pair is of two different rows, and labels are taken as given: each class counts by its share, with the
mean over its own pairs. So the expectation of a mean does not depend on how many rows there are, nor on whether the
classes' counts were drawn or dealt out (U-statistics, Hoeffding 1948, stratified).
"""

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split

MOST_ROWS = 512  # of a sample, the first ones: a distance's cost is their product
RIDGE = 0.02  # of the classes' mean variance


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances, ... x rows of a x rows of b; exactly 0 between equal rows."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def rows_of(part: Split, n_classes: int) -> tuple[Tensor, Tensor]:
    """At most ``MOST_ROWS`` rows of a part and their labels, rows x n_features and rows x n_classes."""
    x, y = torch.as_tensor(part.x[:MOST_ROWS]), torch.as_tensor(part.y[:MOST_ROWS])
    return x, torch.eye(n_classes)[y]


def within(values: Tensor, onehot: Tensor) -> Tensor:
    """Mean of ``values`` (... x rows x rows) over the pairs of different rows of one sample."""
    n_rows = values.shape[-1]
    counts = (onehot * onehot.sum(dim=-2, keepdim=True)).sum(dim=-1)
    missing = 1.0 / (counts - 1.0).clamp(min=1.0)  # n rows of a class make n (n - 1) pairs, not n^2
    pairs = (1.0 - torch.eye(n_rows)) * values
    same = (onehot @ onehot.transpose(-1, -2)) * missing[..., None]
    return (pairs * (1.0 + same)).mean(dim=(-1, -2))


def whitening(instance: Instance) -> Tensor:
    """n_features x n_features, after which training rows of a class have about unit covariance: rows @ whitening."""
    x, onehot = rows_of(instance.train, instance.n_classes)
    means = (onehot.T @ x) / onehot.sum(dim=0)[:, None].clamp(min=1)
    centred = x - onehot @ means
    covariance = centred.T @ centred / max(len(x) - instance.n_classes, 1)
    ridge = (RIDGE * covariance.trace() / len(covariance)).clamp(min=1e-8)
    values, vectors = torch.linalg.eigh(covariance + ridge * torch.eye(len(covariance)))
    whitened: Tensor = vectors / values.sqrt()
    return whitened

"""Distances between generated and real rows of a class, which a generator can minimise without a critic.

Each is 2 E r(X, Y) - E r(X, X') for generated rows X, X' and real rows Y of one class, where r grows with the Euclidean
distance; the part of real rows alone is constant, and left out. Weighted by the classes' shares, all real rows take
part in each. They are unbiased: of rows that are drawn, none is paired with itself.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.gan.strata import Strata

DistanceName = Literal["energy", "mmd"]
# Of two rows, from their squared distance and the mean one of two real rows of a class.
Dissimilarity = Callable[[Tensor, Tensor], Tensor]
EPSILON = 1e-12
RATIONAL_POWERS = (0.2, 0.5, 1.0, 2.0, 5.0)


def _euclidean(squares: Tensor, _unit: Tensor) -> Tensor:
    """The distance, which makes the energy distance [Szekely & Rizzo 2013, Eq. 5]; its derivative is finite at 0."""
    distance: Tensor = torch.sqrt(squares + EPSILON) - EPSILON**0.5
    return distance


def _rational_quadratic(squares: Tensor, unit: Tensor) -> Tensor:
    """Less the sum of (1 + |x - y|^2 / (2 a unit))^-a [Binkowski et al. 2018, section 4], which makes the squared
    maximum mean discrepancy.

    Deviation: distances are measured in those of the real rows.
    """
    logs = [-power * torch.log1p(squares / (2 * power * unit)) for power in RATIONAL_POWERS]
    return -torch.stack([torch.exp(each) for each in logs]).sum(dim=0)


DISTANCES: Mapping[str, Dissimilarity] = {"energy": _euclidean, "mmd": _rational_quadratic}


def class_distance(dissimilarity: Dissimilarity, made: Rows, drawn: bool, real: Strata) -> Tensor:
    """The distance of generated rows, whose weights are equal in each class, to all real ones.

    What it returns is differentiable once.

    Args:
        drawn: whether ``made`` are drawn; a distribution in full is paired with itself as it is.
    """
    x = made.x.detach()
    to_real = (made.onehot / real.counts.clamp(min=1)) @ real.members
    across, slope_across = _means(dissimilarity, x, real.columns, to_real, real.unit)
    # What a row is of its class, and how often each is paired.
    of_class = (made.weights[:, None] * made.onehot).sum(dim=0)
    share = made.weights[:, None] * made.onehot / of_class.clamp(min=EPSILON)
    if drawn:
        n = (made.onehot * (made.weights > 0)[:, None]).sum(dim=0)
        share = share * (n / (n - 1).clamp(min=1))
    within, slope_within = _means(dissimilarity, x, x.T, made.onehot @ share.T, real.unit)
    if drawn:
        within = within - share.sum(dim=1) * dissimilarity(torch.zeros_like(real.unit), real.unit)
    # Both rows of a pair move: the slope counts twice.
    slopes = 2 * made.weights[:, None] * (slope_across - slope_within)
    return (made.weights * (2 * across - within)).sum() + ((made.x - x) * slopes).sum()


def _means(
    dissimilarity: Dissimilarity, x: Tensor, columns: Tensor, weights: Tensor, unit: Tensor
) -> tuple[Tensor, Tensor]:
    """Weighted sums (m) over n rows (columns: d x n) of their dissimilarity to each of x (m x d), and their gradients
    (m x d); no matrix of pairs is kept for them.

    Args:
        weights: m x n.
    """

    def sums(x: Tensor) -> Tensor:
        return (weights * dissimilarity(torch.square(x[:, :, None] - columns).sum(dim=1), unit)).sum(dim=1)

    values, pulled = torch.func.vjp(sums, x)  # type: ignore[misc]
    return values, pulled(torch.ones_like(values))[0]

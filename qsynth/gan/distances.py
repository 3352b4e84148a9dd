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

    Args:
        drawn: whether ``made`` are drawn; a distribution in full is paired with itself as it is.
    """
    unit = _spread(real)
    to_real = made.weights[:, None] * (made.onehot @ (real.onehot / real.counts.clamp(min=1)).T)
    across = (dissimilarity(_squares(made.x, real.x), unit) * to_real).sum()
    # What a row is of its class, and how often each is paired.
    of_class = made.weights @ made.onehot
    share = made.weights * (made.onehot @ (1 / of_class.clamp(min=EPSILON)))
    pairs = made.weights[:, None] * share * (made.onehot @ made.onehot.T)
    if drawn:
        n = (made.onehot * (made.weights > 0)[:, None]).sum(dim=0)
        pairs = pairs * (1 - torch.eye(len(made.x))) * (made.onehot @ (n / (n - 1).clamp(min=1)))
    return 2 * across - (dissimilarity(_squares(made.x, made.x), unit) * pairs).sum()


def _spread(real: Strata) -> Tensor:
    """Mean squared distance of two real rows of a class: twice their variance, summed over features."""
    centre = (real.onehot.T @ real.x) / real.counts.clamp(min=1)[:, None]
    away = torch.square(real.x - real.onehot @ centre).sum(dim=1) * real.onehot.sum(dim=1)
    return (2 * away.sum() / real.counts.sum()).clamp(min=EPSILON)


def _squares(x: Tensor, y: Tensor) -> Tensor:
    """Squared Euclidean distances, m x n, of rows (m x d) and (n x d)."""
    return torch.square(x[:, None] - y[None]).sum(dim=2)

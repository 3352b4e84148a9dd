"""What a generator may minimise beside its adversarial loss: parts of the score, in a form that has a gradient.

Their weights are hyperparameters, as those of the second source paper's objective are; they shape what the generator is
trained toward and nothing else: scores and rewards weigh by the study's own.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.space.controls import Controls, is_on

EPSILON = 1e-12
CELLS = 9  # of a histogram over the generator's range


def with_score_terms(
    loss: Tensor,
    made: Rows,
    real: Rows,
    controls: Controls,
    distance: Callable[[], Tensor],
    taught: Callable[[], Tensor],
) -> Tensor:
    """``loss`` + fidelity_weight ``distance()`` + diversity_weight missing diversity + utility_weight ``taught()`` +
    balance_weight imbalance; as it was where all are OFF.

    Args:
        taught: loss on the real rows of a QNN that learned the rows made.
    """
    if is_on(controls.fidelity_weight):
        loss = loss + controls.fidelity_weight * distance()
    if is_on(controls.diversity_weight):
        loss = loss + controls.diversity_weight * missing_diversity(made, real)
    if is_on(controls.utility_weight):
        loss = loss + controls.utility_weight * taught()
    if is_on(controls.balance_weight):
        loss = loss + controls.balance_weight * imbalance(made, real)
    return loss


def imbalance(made: Rows, real: Rows) -> Tensor:
    """How far shares of the classes' values are from those of real rows, in [0, 1].

    ``|p(x_synth) - p(x_real)|`` of the second source paper, where p are shares in the cells of a soft histogram of each
    feature and class: total variation, the mean over features.
    """
    difference = _shares(made) - _shares(real)
    return 0.5 * torch.sqrt(torch.square(difference) + EPSILON).sum(dim=(1, 2)).mean()


def _shares(rows: Rows) -> Tensor:
    """Shares (d x classes x cells) of weighted rows; a row is in cells near it, by a normal kernel of their width."""
    cells = torch.linspace(-1.0, 1.0, CELLS, dtype=rows.x.dtype)
    width = 2.0 / (CELLS - 1)
    near = torch.softmax(-0.5 * torch.square((rows.x[:, :, None] - cells) / width), dim=2)
    return torch.einsum("m,mc,mdk->dck", rows.weights, rows.onehot, near)


def missing_diversity(made: Rows, real: Rows) -> Tensor:
    """The missing share of the real rows' mean distance (Gini's mean difference); more than theirs gains nothing."""
    spread = _mean_distance(made.x, made.weights, made.x, made.weights)
    wanted = _mean_distance(real.x, real.weights, real.x, real.weights)
    return torch.relu(1 - spread / (wanted + EPSILON))


def _mean_distance(x: Tensor, of_x: Tensor, y: Tensor, of_y: Tensor) -> Tensor:
    """Mean Euclidean distance of rows x (m x d, weights m) and y (n x d, weights n); its derivative is finite at 0."""
    squares = torch.square(x[:, None] - y[None]).sum(dim=2)
    mean: Tensor = of_x @ (torch.sqrt(squares + EPSILON) - EPSILON**0.5) @ of_y
    return mean

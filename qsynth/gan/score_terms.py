"""What a generator may minimise beside its adversarial loss: parts of the score, in a form that has a gradient.

Their weights are hyperparameters, as those of the second source paper's objective are; they shape what the generator is
trained toward and nothing else: scores and rewards weigh by the study's own.
"""

import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.space.controls import Controls, is_on

EPSILON = 1e-12


def with_score_terms(loss: Tensor, made: Rows, real: Rows, controls: Controls) -> Tensor:
    """``loss`` + fidelity_weight energy distance + diversity_weight missing diversity; as it was where both are OFF."""
    if is_on(controls.fidelity_weight):
        loss = loss + controls.fidelity_weight * energy_distance(made, real)
    if is_on(controls.diversity_weight):
        loss = loss + controls.diversity_weight * missing_diversity(made, real)
    return loss


def energy_distance(made: Rows, real: Rows) -> Tensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of rows together with their one-hot labels [Szekely & Rizzo 2013, Eq. 5].

    A row is paired with itself too, so that equal samples are at distance 0.
    """
    one = torch.cat([made.x, made.onehot], dim=1), made.weights
    other = torch.cat([real.x, real.onehot], dim=1), real.weights
    return 2 * _mean_distance(*one, *other) - _mean_distance(*one, *one) - _mean_distance(*other, *other)


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

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


def with_score_terms(
    loss: Tensor, made: Rows, real: Rows, controls: Controls, distance: Callable[[], Tensor]
) -> Tensor:
    """``loss`` + fidelity_weight ``distance()`` + diversity_weight missing diversity; as it was where both are OFF."""
    if is_on(controls.fidelity_weight):
        loss = loss + controls.fidelity_weight * distance()
    if is_on(controls.diversity_weight):
        loss = loss + controls.diversity_weight * missing_diversity(made, real)
    return loss


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

"""Prodigy, one trial's step as a pure function: Adam that finds its learning rate."""

from typing import NamedTuple

import torch
from torch import Tensor

BETA2 = 0.999
FIRST_DISTANCE = 1e-6
EPSILON = 1e-8


class ProdigyState(NamedTuple):
    """Moments of the scaled gradient (parameters), steps taken (scalar), and what the distance is found by.

    Attributes:
        start: the parameters at the first step.
        gradients: weighted sum of gradients (parameters); products: of their products with the way back to the start.
        distance: lower bound of the distance to the solution, which never falls (scalars); 0 before the first step.
    """

    first: Tensor
    second: Tensor
    steps: Tensor
    start: Tensor
    gradients: Tensor
    products: Tensor
    distance: Tensor

    @classmethod
    def zeros(cls, *shape: int) -> "ProdigyState":
        """The state before the first step; leading axes of ``shape`` are lanes, the last one parameters."""
        whole = [torch.zeros(shape) for _ in range(4)]
        first, second, start, gradients = whole
        steps, products, distance = (torch.zeros(shape[:-1]) for _ in range(3))
        return cls(first, second, steps, start, gradients, products, distance)

    def forget(self, lanes: Tensor) -> None:
        """Put some lanes, in place, back to the state before the first step."""
        for part in self:
            part[lanes] = 0.0


def prodigy(
    parameters: Tensor, gradient: Tensor, state: ProdigyState, rate: Tensor, beta1: Tensor, active: Tensor
) -> tuple[Tensor, ProdigyState]:
    """One step of Prodigy (Mishchenko & Defazio 2023, arXiv 2306.06101, the algorithm for Adam).

    Its beta2 is 0.999. Bias is corrected as Adam does it, an option of its authors' code: without that the first steps
    are 16 times as long at a beta1 of 0.5, and where a circuit's angles get lost that far, the distance grows without
    end.

    Args:
        rate: a factor of what it finds; 1 in the paper.

    Where ``active`` is 0, nothing changes.
    """
    begins = state.steps == 0
    start = torch.where(begins, parameters, state.start)
    distance = torch.where(begins, FIRST_DISTANCE, state.distance)
    first = beta1 * state.first + (1 - beta1) * distance * gradient
    second = BETA2 * state.second + (1 - BETA2) * (distance * gradient) ** 2
    steps, keep = state.steps + 1, BETA2**0.5
    rate = rate * torch.sqrt(1 - BETA2**steps) / (1 - beta1**steps)
    weight = (1 - keep) * rate * distance**2
    products = keep * state.products + weight * (gradient * (start - parameters)).sum()
    gradients = keep * state.gradients + weight * gradient
    size = gradients.abs().sum()
    found = torch.where(size > 0, products / torch.where(size > 0, size, 1.0), 0.0)
    update = rate * distance * first / (torch.sqrt(second) + distance * EPSILON)
    after = ProdigyState(first, second, steps, start, gradients, products, torch.maximum(distance, found))
    on = active > 0
    kept = [torch.where(on, new, old) for new, old in zip(after, state, strict=True)]
    return torch.where(on, parameters - update, parameters), ProdigyState(*kept)

"""Adam, one trial's step as a pure function."""

from typing import NamedTuple

import torch
from torch import Tensor

BETA2 = 0.9
EPSILON = 1e-8


class AdamState(NamedTuple):
    """First and second moments (parameters) and the number of steps taken (scalar)."""

    first: Tensor
    second: Tensor
    steps: Tensor

    @classmethod
    def zeros(cls, *shape: int) -> "AdamState":
        """The state before the first step; leading axes of ``shape`` are lanes, the last one parameters."""
        return cls(torch.zeros(shape), torch.zeros(shape), torch.zeros(shape[:-1]))

    def forget(self, lanes: Tensor) -> None:
        """Put some lanes, in place, back to the state before the first step."""
        for part in self:
            part[lanes] = 0.0


def adam(
    parameters: Tensor, gradient: Tensor, state: AdamState, lr: Tensor, beta1: Tensor, active: Tensor
) -> tuple[Tensor, AdamState]:
    """One Adam step (Kingma & Ba 2015, Algorithm 1), with beta2 = 0.9 as in Gulrajani et al. 2017.

    ``beta1`` may change between steps, so the bias correction uses its present value. Where ``active`` is 0, nothing
    changes.
    """
    steps = state.steps + active
    first = torch.lerp(gradient, state.first, beta1)
    second = torch.lerp(gradient * gradient, state.second, torch.full_like(beta1, BETA2))
    on_first, on_second = 1 - beta1**steps, 1 - BETA2**steps
    update = lr * (first / on_first) / (torch.sqrt(second / on_second) + EPSILON)
    on = active > 0
    return torch.where(on, parameters - update, parameters), AdamState(
        torch.where(on, first, state.first), torch.where(on, second, state.second), steps
    )

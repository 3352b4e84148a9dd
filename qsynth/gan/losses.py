"""Wasserstein losses with gradient penalty (Gulrajani et al. 2017; Gunduz 2025, Eqs. 1 and 2)."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Penalty = Literal["one_sided", "two_sided"]
EPSILON = 1e-12


def gradient_norm(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Euclidean norm of dD/dx at each row of ``x`` (batch x d): batch."""
    gradient = torch.func.grad(lambda rows: score(rows).sum())(x)
    return torch.sqrt((gradient * gradient).sum(dim=1) + EPSILON)


def gradient_penalty(norm: Tensor, penalty: Penalty) -> Tensor:
    """(|grad D| - 1)^2 at each row; one-sided: only where the norm exceeds 1.

    In one or two dimensions the two-sided form is a double well in the critic's slope: a critic that starts with the
    wrong sign never flips.
    """
    excess = norm - 1.0
    return torch.square(torch.relu(excess) if penalty == "one_sided" else excess)


def critic_loss(fake: Tensor, real: Tensor, penalty: Tensor, gp_weight: Tensor) -> Tensor:
    """L_D = D(fake) - D(real) + lambda GP, from means over a batch."""
    return fake - real + gp_weight * penalty


def generator_loss(fake: Tensor) -> Tensor:
    """L_G = -D(fake), from the mean over a batch."""
    return -fake

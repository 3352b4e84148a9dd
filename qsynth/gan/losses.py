"""Wasserstein losses with gradient penalty (Gulrajani et al. 2017; Gunduz 2025, Eqs. 1 and 2)."""

from typing import Literal

import torch
from torch import Tensor

Penalty = Literal["one_sided", "two_sided"]
EPSILON = 1e-12


def norm(slope: Tensor) -> Tensor:
    """Euclidean norm of each row of dD/dx (batch x d), batch; its derivative is finite at 0 too."""
    return torch.sqrt((slope * slope).sum(dim=1) + EPSILON)


def gradient_penalty(norm: Tensor, penalty: Penalty) -> Tensor:
    """(|grad D| - 1)^2 at each row; one-sided: only where the norm exceeds 1.

    In one or two dimensions the two-sided form is a double well in the critic's slope: a critic that starts with the
    wrong sign never flips.
    """
    excess = norm - 1.0
    return torch.square(torch.relu(excess) if penalty == "one_sided" else excess)


def critic_loss(gap: Tensor, penalty: Tensor, gp_weight: Tensor) -> Tensor:
    """L_D = -(D(real) - D(fake)) + lambda GP, from the gap and penalty that are means over a batch."""
    return gp_weight * penalty - gap


def generator_loss(fake: Tensor) -> Tensor:
    """L_G = -D(fake), from the mean over a batch."""
    return -fake

"""The critic and its loss written a second time, plainly, for torch.autograd."""

import torch
from torch import Tensor

from qsynth.gan.mlp_critic import MLPCritic
from qsynth.gan.update import CriticBatch
from qsynth.space.controls import Controls


def mlp(critic: MLPCritic, flat: Tensor, x: Tensor, onehot: Tensor, n_units: int) -> Tensor:
    """D(x, y) of a network that has only ``n_units`` units a layer."""
    p = critic.layout.split(flat)
    keep = slice(0, n_units)
    leaky = torch.nn.LeakyReLU(0.2)
    first = leaky(torch.cat([x, onehot], dim=1) @ p["w1"][keep].T + p["b1"][keep])
    second = leaky(first @ p["w2"][keep, keep].T + p["b2"][keep])
    return second @ p["w3"][keep]


def critic_gradient(
    critic: MLPCritic, flat: Tensor, batch: CriticBatch, controls: Controls, one_sided: bool
) -> tuple[Tensor, Tensor]:
    """Loss and gradient by double backward, over the samples and units in use."""
    n, units = int((controls.sample_weights > 0).sum()), int(controls.unit_mask.sum())
    real, onehot, fake, mix = (part[:n] for part in batch[:4])
    flat = flat.detach().requires_grad_()
    between = (mix[:, None] * real + (1 - mix[:, None]) * fake).requires_grad_()
    scores = mlp(critic, flat, between, onehot, units)
    [slope] = torch.autograd.grad(scores.sum(), between, create_graph=True)
    excess = slope.norm(dim=1) - 1
    penalty = (excess.clamp(min=0) if one_sided else excess) ** 2
    wasserstein = mlp(critic, flat, fake, onehot, units).mean() - mlp(critic, flat, real, onehot, units).mean()
    loss = wasserstein + controls.gp_weight * penalty.mean()
    [gradient] = torch.autograd.grad(loss, flat)
    return loss.detach(), gradient

"""Adversarial losses, and the gradient penalty that can go with each.

D is the critic's score. Where the papers speak of a probability, it is sigmoid(D); in terms of D its logarithms are
softplus functions, which are exact where the probability rounds to 0 or 1.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from qsynth.space.controls import Controls, is_on

Penalty = Literal["one_sided", "two_sided", "zero_centered", "none"]
AdversarialName = Literal["wasserstein", "non_saturating", "standard", "hinge", "relativistic"]
EPSILON = 1e-12


class AdversarialLoss(NamedTuple):
    """What critic and generator minimise.

    Attributes:
        critic: of the scores of real and fake rows (m) and their weights (m), which are positive for real rows and
            negative for fake ones, and sum to 1 and -1.
        generator: of the scores of fake rows (m) and their weights (m), which sum to 1, and of the scores of the real
            rows that they are paired with (m, or none where ``needs_real`` does not say so).
        has_labels: whether the critic's loss is that of a classifier, whose targets can be smoothed.
        minds_offset: whether a constant added to all scores matters.
        needs_real: whether each fake row is judged beside a real one of its class.
    """

    critic: Callable[[Tensor, Tensor, Controls], Tensor]
    generator: Callable[[Tensor, Tensor, Tensor], Tensor]
    has_labels: bool
    minds_offset: bool
    needs_real: bool = False


def norm(slope: Tensor) -> Tensor:
    """Euclidean norm of each row of dD/dx (batch x d), batch; its derivative is finite at 0 too."""
    return torch.sqrt((slope * slope).sum(dim=1) + EPSILON)


def gradient_penalty(norm: Tensor, penalty: Penalty) -> Tensor:
    """(|grad D| - 1)^2 at each row [Gulrajani et al. 2017, Eq. 3]; one-sided: only where the norm exceeds 1;
    zero-centered: |grad D|^2 / 2 [Mescheder et al. 2018, Eq. 9].

    In one or two dimensions the two-sided form is a double well in the critic's slope: a critic that starts with the
    wrong sign never flips.
    """
    if penalty == "zero_centered":
        return torch.square(norm) / 2
    excess = norm - 1.0
    return torch.square(torch.relu(excess) if penalty == "one_sided" else excess)


def _wasserstein_critic(scores: Tensor, signed: Tensor, _controls: Controls) -> Tensor:
    """D(fake) - D(real) [Gunduz 2025, Eq. 1, without the penalty]."""
    return -(scores * signed).sum()


def _logistic_critic(scores: Tensor, signed: Tensor, controls: Controls) -> Tensor:
    """-log sigmoid(D(real)) - log(1 - sigmoid(D(fake))) [Goodfellow et al. 2014, Eq. 1, negated].

    With label smoothing s, real rows have the target 1 - s [one-sided: Salimans et al. 2016, section 3.4], which adds
    s D(real).
    """
    loss = (softplus(-scores * torch.sign(signed)) * signed.abs()).sum()
    if not is_on(controls.label_smoothing):
        return loss
    return loss + controls.label_smoothing * (scores * torch.relu(signed)).sum()


def _hinge_critic(scores: Tensor, signed: Tensor, _controls: Controls) -> Tensor:
    """max(0, 1 - D(real)) + max(0, 1 + D(fake)) [Lim & Ye 2017; Miyato et al. 2018, Eq. 16]."""
    return (torch.relu(1 - scores * torch.sign(signed)) * signed.abs()).sum()


def _relativistic_critic(scores: Tensor, signed: Tensor, _controls: Controls) -> Tensor:
    """-log sigmoid(D(real) - D(fake)) of pairs [Jolicoeur-Martineau 2019; Huang et al. 2024, arXiv 2501.05441]."""
    real, fake = scores.chunk(2)
    return (softplus(fake - real) * signed.chunk(2)[0]).sum()


def _raised(scores: Tensor, weights: Tensor, _real: Tensor) -> Tensor:
    """-D(fake) [Gunduz 2025, Eq. 2]."""
    return -(scores * weights).sum()


LOSSES: Mapping[str, AdversarialLoss] = {
    "wasserstein": AdversarialLoss(_wasserstein_critic, _raised, has_labels=False, minds_offset=False),
    # -log sigmoid(D(fake)) [Goodfellow et al. 2014, section 3].
    "non_saturating": AdversarialLoss(
        _logistic_critic,
        lambda scores, weights, _real: (softplus(-scores) * weights).sum(),
        has_labels=True,
        minds_offset=True,
    ),
    # log(1 - sigmoid(D(fake))), the minimax game, as the second source paper has it.
    "standard": AdversarialLoss(
        _logistic_critic,
        lambda scores, weights, _real: -(softplus(scores) * weights).sum(),
        has_labels=True,
        minds_offset=True,
    ),
    "hinge": AdversarialLoss(_hinge_critic, _raised, has_labels=False, minds_offset=True),
    # -log sigmoid(D(fake) - D(real)) of pairs.
    "relativistic": AdversarialLoss(
        _relativistic_critic,
        lambda scores, weights, real: (softplus(real - scores) * weights).sum(),
        has_labels=False,
        minds_offset=False,
        needs_real=True,
    ),
}

"""The adversarial losses and the gradient penalty."""

import pytest
import torch
from torch import Tensor

from qsynth.gan.losses import LOSSES, AdversarialName, Penalty, gradient_penalty, norm
from qsynth.space.controls import OFF, Controls


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [("one_sided", [0, 0, 0, 4]), ("two_sided", [1, 0.25, 0, 4]), ("zero_centered", [0, 0.125, 0.5, 4.5])],
)
def test_penalty_of_a_slope(penalty: Penalty, expected: list[float]) -> None:
    found = gradient_penalty(torch.tensor([0.0, 0.5, 1.0, 3.0]), penalty)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_a_flat_critic_has_a_finite_gradient_of_its_penalty() -> None:
    """At slope 0 the norm itself has no derivative."""
    slope = torch.func.grad(lambda w: gradient_penalty(norm(w.expand(3, 2)), "two_sided").sum())
    assert torch.isfinite(slope(torch.zeros(2))).all()


def of_probabilities(loss: AdversarialName, real: Tensor, fake: Tensor, target: float) -> tuple[Tensor, Tensor]:
    """The losses as the papers write them, with D = sigmoid(score) where they have a probability."""
    d_real, d_fake = torch.sigmoid(real), torch.sigmoid(fake)
    classified = -(target * d_real.log() + (1 - target) * (1 - d_real).log()).mean() - (1 - d_fake).log().mean()
    return {
        "wasserstein": (fake.mean() - real.mean(), -fake.mean()),
        "standard": (classified, (1 - d_fake).log().mean()),
        "non_saturating": (classified, -d_fake.log().mean()),
        "hinge": ((1 - real).clamp(min=0).mean() + (1 + fake).clamp(min=0).mean(), -fake.mean()),
        "relativistic": (-torch.sigmoid(real - fake).log().mean(), -torch.sigmoid(fake - real).log().mean()),
    }[loss]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("smoothing", [None, 0.0, 0.2])
def test_losses_are_those_of_the_papers(loss: AdversarialName, smoothing: float | None) -> None:
    if smoothing and not LOSSES[loss].has_labels:
        pytest.skip("has no targets to smooth")
    random = torch.Generator().manual_seed(0)
    real, fake = (3 * torch.randn(5, generator=random, dtype=torch.float64) for _ in range(2))
    share = torch.full((5,), 0.2, dtype=torch.float64)
    controls = Controls(*[OFF] * 9, label_smoothing=OFF if smoothing is None else torch.tensor(smoothing))
    expected = of_probabilities(loss, real, fake, 1 - (smoothing or 0.0))
    found = LOSSES[loss].critic(torch.cat([real, fake]), torch.cat([share, -share]), controls)
    torch.testing.assert_close(found, expected[0])
    torch.testing.assert_close(LOSSES[loss].generator(fake, share, real), expected[1])


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_finite_for_a_sure_critic_and_blind_to_rows_without_weight(loss: AdversarialName) -> None:
    """Of probabilities that are rounded to 0 or 1, logarithms would be infinite."""
    controls, signed = Controls(*[OFF] * 9), torch.tensor([1.0, 0.0, -1.0, 0.0])
    for sign in (1.0, -1.0):
        scores = sign * torch.tensor([1e3, 7.0, -1e3, 5.0])
        found = LOSSES[loss].critic(scores, signed, controls)
        assert torch.isfinite(found)
        assert found == LOSSES[loss].critic(scores * torch.tensor([1.0, -3.0, 1.0, 2.0]), signed, controls)
        assert torch.isfinite(LOSSES[loss].generator(scores, signed.abs() / 2, -scores))


@pytest.mark.parametrize("loss", LOSSES)
def test_an_offset_of_all_scores_matters_where_it_is_said_to(loss: AdversarialName) -> None:
    scores, signed = torch.tensor([0.3, -0.4]), torch.tensor([1.0, -1.0])
    controls = Controls(*[OFF] * 9)
    one, other = (LOSSES[loss].critic(scores + offset, signed, controls).item() for offset in (0.0, 1.0))
    assert (one != pytest.approx(other)) == LOSSES[loss].minds_offset

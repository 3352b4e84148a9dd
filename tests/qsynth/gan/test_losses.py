"""The Wasserstein losses and the gradient penalty."""

import pytest
import torch

from qsynth.gan.losses import Penalty, critic_loss, generator_loss, gradient_penalty, norm


@pytest.mark.parametrize(("penalty", "expected"), [("one_sided", [0, 0, 0, 4]), ("two_sided", [1, 0.25, 0, 4])])
def test_penalty_of_a_slope(penalty: Penalty, expected: list[float]) -> None:
    found = gradient_penalty(torch.tensor([0.0, 0.5, 1.0, 3.0]), penalty)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_a_flat_critic_has_a_finite_gradient_of_its_penalty() -> None:
    """At slope 0 the norm itself has no derivative."""
    slope = torch.func.grad(lambda w: gradient_penalty(norm(w.expand(3, 2)), "two_sided").sum())
    assert torch.isfinite(slope(torch.zeros(2))).all()


def test_signs_of_the_losses() -> None:
    fake, real, penalty, weight = (torch.tensor(value) for value in (0.25, 2.0, 0.5, 10.0))
    assert critic_loss(real - fake, penalty, weight).item() == pytest.approx(0.25 - 2.0 + 10 * 0.5)
    assert generator_loss(fake).item() == -0.25

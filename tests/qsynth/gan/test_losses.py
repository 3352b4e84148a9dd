"""The Wasserstein losses and the gradient penalty."""

import pytest
import torch

from qsynth.gan.losses import Penalty, critic_loss, generator_loss, gradient_norm, gradient_penalty


@pytest.mark.parametrize(("penalty", "expected"), [("one_sided", [0, 0, 0, 4]), ("two_sided", [1, 0.25, 0, 4])])
def test_penalty_of_a_slope(penalty: Penalty, expected: list[float]) -> None:
    found = gradient_penalty(torch.tensor([0.0, 0.5, 1.0, 3.0]), penalty)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_slope_is_that_of_each_row() -> None:
    x = torch.tensor([[1.0, 2.0], [0.0, -3.0], [0.0, 0.0]])
    norm = gradient_norm(lambda rows: (rows**2).sum(dim=1), x)
    torch.testing.assert_close(norm, torch.tensor([2 * 5**0.5, 6.0, 0.0]), atol=2e-6, rtol=0)


def test_a_flat_critic_has_a_finite_gradient_of_its_penalty() -> None:
    """At slope 0 the norm itself has no derivative."""
    slope = torch.func.grad(
        lambda w: gradient_penalty(gradient_norm(lambda r: r @ w, torch.ones(3, 2)), "two_sided").sum()
    )
    assert torch.isfinite(slope(torch.zeros(2))).all()


def test_signs_of_the_losses() -> None:
    fake, real, penalty, weight = (torch.tensor(value) for value in (0.25, 2.0, 0.5, 10.0))
    assert critic_loss(fake, real, penalty, weight).item() == pytest.approx(0.25 - 2.0 + 10 * 0.5)
    assert generator_loss(fake).item() == -0.25

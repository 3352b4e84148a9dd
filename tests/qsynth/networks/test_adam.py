"""Adam against torch's own."""

import pytest
import torch

from qsynth.networks.adam import AdamState, adam


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("lr", [1e-3, 0.3])
def test_twenty_steps_are_those_of_torch(beta1: float, lr: float) -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(7, generator=random, dtype=torch.float64)
    target = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([target], lr=lr, betas=(beta1, 0.9))
    parameters, state = start, AdamState(*(part.double() for part in AdamState.zeros(7)))
    one = torch.ones((), dtype=torch.float64)
    for step in range(20):
        gradient = torch.randn(7, generator=random, dtype=torch.float64) * 10.0 ** (step % 5 - 2)
        target.grad = gradient
        optimiser.step()
        parameters, state = adam(parameters, gradient, state, lr * one, beta1 * one, one)
        torch.testing.assert_close(parameters, target.detach(), rtol=1e-12, atol=1e-12)
    assert state.steps == 20


def test_an_inactive_step_changes_nothing() -> None:
    state = AdamState(torch.tensor([0.1, -0.2]), torch.tensor([0.3, 0.4]), torch.tensor(3.0))
    parameters = torch.tensor([1.0, 2.0])
    for gradient in (torch.tensor([5.0, -6.0]), torch.full((2,), torch.nan)):
        for before in (state, AdamState.zeros(2)):
            after, same = adam(parameters, gradient, before, torch.tensor(0.1), torch.tensor(0.5), torch.zeros(()))
            assert torch.equal(after, parameters)
            assert all(torch.equal(one, other) for one, other in zip(same, before, strict=True))


def test_lanes_take_their_own_steps() -> None:
    parameters, gradient = torch.ones(3, 2), torch.tensor([[1.0, -1.0]]).expand(3, 2)
    lr, beta1 = torch.tensor([0.1, 0.2, 0.1]), torch.tensor([0.5, 0.5, 0.5])
    active = torch.tensor([1.0, 1.0, 0.0])
    after, state = torch.func.vmap(adam)(parameters, gradient, AdamState.zeros(3, 2), lr, beta1, active)
    torch.testing.assert_close(after, torch.tensor([[0.9, 1.1], [0.8, 1.2], [1.0, 1.0]]))
    assert state.steps.tolist() == [1, 1, 0]

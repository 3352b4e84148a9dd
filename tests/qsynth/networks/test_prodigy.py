"""Prodigy against the algorithm of its paper, and what it is for: no learning rate."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from qsynth.execution.compilation import CACHE, Compiler
from qsynth.networks.optimizer import OPTIMIZERS
from qsynth.networks.prodigy import ProdigyState, prodigy
from qsynth.space.controls import OFF

ONE = torch.ones((), dtype=torch.float64)


class Reference(torch.optim.Optimizer):
    """Mishchenko & Defazio 2023, the algorithm for Adam, line by line, on one group of one tensor; gamma is corrected
    for bias, as their code does it where it is asked to."""

    def __init__(self, parameter: Tensor, gamma: float, beta1: float, beta2: float = 0.999, d0: float = 1e-6) -> None:
        super().__init__([parameter], {"gamma": gamma})
        self.beta1, self.beta2 = beta1, beta2
        self.d, self.r, self.k = d0, 0.0, 0
        self.x0 = parameter.detach().clone()
        self.m, self.v, self.s = (torch.zeros_like(self.x0) for _ in range(3))

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        """One step."""
        [group] = self.param_groups
        [x] = group["params"]
        beta1, beta2, root, d, g = self.beta1, self.beta2, self.beta2**0.5, self.d, x.grad
        self.k += 1
        gamma = group["gamma"] * (1 - beta2**self.k) ** 0.5 / (1 - beta1**self.k)
        self.m = beta1 * self.m + (1 - beta1) * d * g
        self.v = beta2 * self.v + (1 - beta2) * d**2 * g**2
        self.r = root * self.r + (1 - root) * gamma * d**2 * float(torch.dot(g, self.x0 - x))
        self.s = root * self.s + (1 - root) * gamma * d**2 * g
        self.d = max(d, self.r / float(self.s.abs().sum()))
        x -= gamma * d * self.m / (self.v.sqrt() + d * 1e-8)


def zeros(size: int) -> ProdigyState:
    return ProdigyState(*(part.double() for part in ProdigyState.zeros(size)))


def slope(x: Tensor) -> Tensor:
    """Of a bowl with curvatures that differ, whose bottom is at 3."""
    return torch.linspace(0.1, 2.0, len(x), dtype=x.dtype) * (x - 3.0)


@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("gamma", [1.0, 0.3])
def test_two_hundred_steps_are_those_of_the_paper(beta1: float, gamma: float) -> None:
    random = torch.Generator().manual_seed(0)
    start = torch.randn(7, generator=random, dtype=torch.float64)
    target = start.clone().requires_grad_()
    reference = Reference(target, gamma, beta1)
    parameters, state = start, zeros(7)
    for _ in range(200):
        noise = 0.1 * torch.randn(7, generator=random, dtype=torch.float64)
        target.grad = slope(target.detach()) + noise
        reference.step()
        parameters, state = prodigy(parameters, slope(parameters) + noise, state, gamma * ONE, beta1 * ONE, ONE)
        torch.testing.assert_close(parameters, target.detach(), rtol=1e-6, atol=1e-6)
        assert float(state.distance) == pytest.approx(reference.d, rel=1e-6)
    assert reference.d > 1e-2  # it has found a rate, ten thousand times the first one
    assert state.steps == 200


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_it_needs_no_learning_rate(scale: float) -> None:
    """Whatever the unit of the loss and of the parameters: Adam with one rate solves but one of these."""
    parameters, state = torch.zeros(5), ProdigyState.zeros(5)
    one = torch.ones(())
    for _ in range(1500):
        parameters, state = prodigy(parameters, slope(parameters / scale) / scale, state, one, 0.9 * one, one)
    torch.testing.assert_close(parameters / scale, torch.full((5,), 3.0), rtol=0.05, atol=0.05)


def test_an_inactive_step_changes_nothing() -> None:
    parameters = torch.tensor([1.0, 2.0])
    one = torch.ones(())
    _, begun = prodigy(parameters, torch.ones(2), ProdigyState.zeros(2), one, 0 * one, one)
    for gradient in (torch.tensor([5.0, -6.0]), torch.full((2,), torch.nan)):
        for before in (begun, ProdigyState.zeros(2)):
            after, same = prodigy(parameters, gradient, before, torch.ones(()), torch.tensor(0.5), torch.zeros(()))
            assert torch.equal(after, parameters)
            assert all(torch.equal(one, other) for one, other in zip(same, before, strict=True))


def test_lanes_take_their_own_steps_and_forget_alone() -> None:
    """A lane beside others does what it does alone; one that forgot begins from where it is."""
    gradients = torch.tensor([[1.0, -1.0], [3.0, 0.5], [0.0, 0.0]])
    parameters, state, one = torch.zeros(3, 2), ProdigyState.zeros(3, 2), torch.ones(3)
    for _ in range(3):
        parameters, state = torch.func.vmap(prodigy)(parameters, gradients, state, one, 0.5 * one, one)
    alone, its = torch.zeros(2), ProdigyState.zeros(2)
    for _ in range(3):
        alone, its = prodigy(alone, gradients[1], its, one[0], 0.5 * one[0], one[0])
    torch.testing.assert_close(parameters[1], alone)
    torch.testing.assert_close(state.distance[1], its.distance)
    assert torch.equal(parameters[2], torch.zeros(2))  # no gradient: no step, and no number that is none
    state.forget(torch.tensor([1]))
    assert not any(part[1].any() for part in state)
    assert state.distance[0] > 0
    _, begun = torch.func.vmap(prodigy)(parameters, gradients, state, one, 0.5 * one, one)
    assert torch.equal(begun.start[1], parameters[1])


def test_it_finds_its_rate_where_none_is_given() -> None:
    optimizer = OPTIMIZERS["prodigy"]
    assert optimizer.finds_rate
    gradient = torch.tensor([1.0, -2.0])
    for rate in (OFF, torch.ones(())):
        after, _ = optimizer.step(torch.zeros(2), gradient, optimizer.zeros(2), rate, torch.zeros(()), torch.ones(()))
        torch.testing.assert_close(after, -1e-6 * gradient.sign(), rtol=1e-2, atol=0)


def test_it_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the same steps, with a lane that pauses."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    lanes = torch.func.vmap(prodigy)
    compiler = Compiler("prodigy")
    program = compiler("prodigy", lanes)
    random = torch.Generator().manual_seed(0)
    one, active = torch.ones(3), torch.tensor([1.0, 0.0, 1.0])
    here = there = torch.randn(3, 4, generator=random), ProdigyState.zeros(3, 4)
    for _ in range(5):
        gradient = torch.randn(3, 4, generator=random)
        here = lanes(here[0], gradient, here[1], one, 0.5 * one, active)
        there = program(there[0], gradient, there[1], one, 0.5 * one, active)
    assert compiler.failure is None
    torch.testing.assert_close((there[0], *there[1]), (here[0], *here[1]))

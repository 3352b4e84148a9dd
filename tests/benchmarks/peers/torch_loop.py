"""The training loop that one writes with torch around a circuit of any library: one trial at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.benchmarks.peers.problem import (
    BATCH,
    BETAS,
    LATENT,
    LAYERS,
    LEARNING_RATE,
    N_CRITIC,
    SLOPE,
    WIDTH,
    Answer,
    Example,
)

Circuit = Callable[[Tensor, Tensor], Tensor]


class TorchLoop:
    """See :class:`Peer`.

    Args:
        circuit: angles (batch x qubits), weights (layers x 2 qubits) to <Z_0> (batch).
    """

    def __init__(self, circuit: Circuit, n_qubits: int) -> None:
        self._circuit = circuit
        self._linear = torch.nn.Linear(LATENT, n_qubits)
        self._weights = torch.nn.Parameter(0.1 * torch.randn(LAYERS, 2 * n_qubits))
        self._critic = torch.nn.Sequential(
            torch.nn.Linear(1, WIDTH),
            torch.nn.LeakyReLU(SLOPE),
            torch.nn.Linear(WIDTH, WIDTH),
            torch.nn.LeakyReLU(SLOPE),
            torch.nn.Linear(WIDTH, 1, bias=False),
        )
        generator = [*self._linear.parameters(), self._weights]
        self._of_generator = torch.optim.Adam(generator, lr=LEARNING_RATE, betas=BETAS)
        self._of_critic = torch.optim.Adam(self._critic.parameters(), lr=LEARNING_RATE, betas=BETAS)

    def answer(self, example: Example) -> Answer:
        """See :class:`Peer`."""
        with torch.no_grad():
            mine = [*self._linear.parameters(), self._weights, *self._critic.parameters()]
            given = [example.linear, example.bias, example.weights, *example.critic]
            for parameter, value in zip(mine, given, strict=True):
                parameter.copy_(torch.as_tensor(value).reshape(parameter.shape))
        z, real, mix = (torch.as_tensor(part) for part in (example.z, example.real, example.mix))
        fake = self._fake(z)
        of_critic = torch.autograd.grad(self._critic_loss(real, fake.detach(), mix), [*self._critic.parameters()])
        generator = [*self._linear.parameters(), self._weights]
        of_generator = torch.autograd.grad(self._generator_loss(fake), generator)
        flat = (torch.cat([part.flatten() for part in parts]).numpy() for parts in (of_critic, of_generator))
        return Answer(fake.detach()[:, 0].numpy(), *flat)

    def iterate(self, count: int) -> None:
        """See :class:`Peer`."""
        for _ in range(count):
            for _ in range(N_CRITIC):
                with torch.no_grad():
                    fake = self._fake(torch.randn(BATCH, LATENT))
                self._of_critic.zero_grad()
                self._critic_loss(0.2 * torch.randn(BATCH, 1), fake, torch.rand(BATCH)).backward()
                self._of_critic.step()
            self._of_generator.zero_grad()
            self._generator_loss(self._fake(torch.randn(BATCH, LATENT))).backward()
            self._of_generator.step()

    def _fake(self, z: Tensor) -> Tensor:
        return self._circuit(self._linear(z), self._weights).float()[:, None]

    def _critic_loss(self, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        between = (mix[:, None] * real + (1 - mix[:, None]) * fake).requires_grad_()
        [slope] = torch.autograd.grad(self._critic(between).sum(), between, create_graph=True)
        penalty = torch.relu(slope.norm(dim=1) - 1).square().mean()
        return self._critic(fake).mean() - self._critic(real).mean() + penalty

    def _generator_loss(self, fake: Tensor) -> Tensor:
        return -self._critic(fake).mean()

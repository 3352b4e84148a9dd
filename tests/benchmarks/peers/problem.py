"""The GAN that every peer trains, and one example of its updates that all must agree on.

A generator Linear(2, n) -> RX(angle) on n wires -> 4 layers of RY, RX and a ring of CNOTs -> <Z_0>, a critic 1-32-32-1
of LeakyReLU(0.2) units, WGAN-GP with the one-sided penalty, Adam. One iteration is 5 critic updates and one generator
update of batch 64 each. The real rows are N(0, 0.2).

Without a critic, an iteration is one generator update of batch 64, whose loss is the energy distance to all 512
training rows; an average of the generator's weights is kept.
"""

import importlib
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.gan.distances import DISTANCES, class_distance
from qsynth.gan.generator import Rows
from qsynth.gan.losses import gradient_penalty, norm
from qsynth.gan.mlp_critic import MLPCritic
from qsynth.gan.strata import Strata
from qsynth.space.controls import OFF, Controls

ANSATZ, LATENT, LAYERS, WIDTH, BATCH, N_CRITIC = "ry_rx_cnot", 2, 4, 32, 64, 5
LEARNING_RATE, BETAS, SLOPE = 3e-3, (0.5, 0.9), 0.2
TRAINING_ROWS = 512
Array = NDArray[np.float32]


class Example(NamedTuple):
    """One trial's weights and one batch; all float32.

    Attributes:
        linear: qubits x 2.
        bias: qubits.
        weights: layers x 2 qubits (RY and RX of each wire in turn).
        critic: w1 (32 x 1), b1, w2 (32 x 32), b2, w3 (32); the last layer has no bias.
        z: batch x 2.
        real: batch x 1.
        mix: batch.
    """

    linear: Array
    bias: Array
    weights: Array
    critic: tuple[Array, ...]
    z: Array
    real: Array
    mix: Array


class Answer(NamedTuple):
    """What the updates of an :class:`Example` need: the fake rows (batch), and the gradients of the critic's loss for
    w1..w3 and of the generator's loss for linear, bias and weights, one flat vector each."""

    fake: Array
    critic: Array
    generator: Array


class Trainer(Protocol):
    """A way to train the GAN, made with ``(n_qubits, n_lanes)``."""

    def iterate(self, count: int) -> None:
        """Train all lanes for ``count`` iterations, and wait for the result."""
        ...


@runtime_checkable
class Peer(Trainer, Protocol):
    """One that is not qsynth."""

    def answer(self, example: Example) -> Answer:
        """The example's fake rows and gradients."""
        ...


class Skip(Exception):  # noqa: N818
    """This peer can't run here; the message says why."""


def example(n_qubits: int, seed: int = 0) -> Example:
    """Random weights and a random batch."""
    random = np.random.default_rng(seed)

    def normal(spread: float, *shape: int) -> Array:
        return (spread * random.standard_normal(shape)).astype(np.float32)

    critic = (
        normal(1.5, WIDTH, 1),
        normal(0.5, WIDTH),
        normal(0.3, WIDTH, WIDTH),
        normal(0.1, WIDTH),
        normal(0.5, WIDTH),
    )
    return Example(
        normal(1.0, n_qubits, LATENT),
        normal(1.0, n_qubits),
        normal(1.0, LAYERS, 2 * n_qubits),
        critic,
        normal(1.0, BATCH, LATENT),
        normal(0.2, BATCH, 1),
        random.random(BATCH).astype(np.float32),
    )


def reference(given: Example, n_qubits: int) -> Answer:
    """The answer of qsynth's own engine and losses."""
    engine = StatevectorEngine(ANSAETZE[ANSATZ], n_qubits, LAYERS)
    critic, unlabelled = MLPCritic(1, 0, WIDTH), torch.zeros(BATCH, 0)
    flat = torch.cat([torch.as_tensor(part).flatten() for part in given.critic])
    controls = Controls(*[OFF] * 9)._replace(unit_mask=torch.ones(WIDTH))
    z, real, mix = (torch.as_tensor(part) for part in (given.z, given.real, given.mix))

    def score(parameters: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return critic.score(critic.layout.split(parameters), rows, unlabelled, controls)

    def fake(linear: torch.Tensor, bias: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return engine.expectations(z @ linear.T + bias, weights, torch.ones(LAYERS))[:, :1]

    generator = tuple(torch.as_tensor(part) for part in (given.linear, given.bias, given.weights))
    rows = fake(*generator)

    def of_critic(parameters: torch.Tensor) -> torch.Tensor:
        between = mix[:, None] * real + (1 - mix[:, None]) * rows
        slope = critic.slope(critic.layout.split(parameters), between, unlabelled, controls)
        penalty = gradient_penalty(norm(slope), "one_sided").mean()
        return score(parameters, rows).mean() - score(parameters, real).mean() + penalty

    def of_generator(*parts: torch.Tensor) -> torch.Tensor:
        return -score(flat, fake(*parts)).mean()

    gradients = torch.func.grad(of_generator, argnums=(0, 1, 2))(*generator)
    return Answer(
        rows[:, 0].numpy(),
        torch.func.grad(of_critic)(flat).numpy(),
        torch.cat([part.flatten() for part in gradients]).numpy(),
    )


def reference_without_critic(given: Example, n_qubits: int) -> Answer:
    """The answer of qsynth's own engine and energy distance."""
    engine = StatevectorEngine(ANSAETZE[ANSATZ], n_qubits, LAYERS)
    z, real = torch.as_tensor(given.z), torch.as_tensor(given.real)
    strata = Strata.of(torch.cat([real, torch.ones(BATCH, 1)], dim=1), torch.tensor(BATCH), 1)

    def fake(linear: torch.Tensor, bias: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return engine.expectations(z @ linear.T + bias, weights, torch.ones(LAYERS))[:, :1]

    def loss(*parts: torch.Tensor) -> torch.Tensor:
        made = Rows(fake(*parts), torch.ones(BATCH, 1), torch.full((BATCH,), 1 / BATCH))
        return class_distance(DISTANCES["energy"], made, True, strata)

    generator = tuple(torch.as_tensor(part) for part in (given.linear, given.bias, given.weights))
    gradients = torch.func.grad(loss, argnums=(0, 1, 2))(*generator)
    flat = torch.cat([part.flatten() for part in gradients]).numpy()
    return Answer(fake(*generator)[:, 0].numpy(), np.zeros(0, np.float32), flat)


def check(peer: Peer, n_qubits: int, *, critic: bool) -> None:
    """Hold a peer, with a critic or without, to the reference.

    Raises:
        AssertionError: it computes something else.
    """
    given = example(n_qubits)
    expected = reference(given, n_qubits) if critic else reference_without_critic(given, n_qubits)
    for name, found, wanted in zip(Answer._fields, peer.answer(given), expected, strict=True):
        if name == "critic" and not critic:
            continue
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-4 * np.abs(wanted).max(), err_msg=name)


def required(module: str) -> object:
    """An optional module.

    Raises:
        Skip: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise Skip(f"{module} is not installed") from None

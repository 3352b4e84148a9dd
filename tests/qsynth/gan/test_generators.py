"""Generators of each kind: what their formulas say, computed a second time."""

import math

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError
from qsynth.gan.born import BornGenerator, grid
from qsynth.gan.generator import Rows
from qsynth.gan.quantum import QuantumGenerator
from qsynth.gan.vae import VAEGenerator
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import OFF, Controls

LATENT, CLASSES = 3, 2
SEED = torch.tensor(7)


def settings(n_layers: int = 3, **changes: Tensor) -> Controls:
    return Controls(*[OFF] * 9)._replace(latent_mask=torch.ones(LATENT), layer_mask=torch.ones(n_layers), **changes)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels(n: int) -> Tensor:
    return torch.eye(CLASSES)[torch.arange(n) % CLASSES]


def trial(**changes: object) -> TrialConfig:
    return TrialConfig.model_validate({"n_qubits": 3, "capacity": {"latent_dim": LATENT}, **changes})


# Patches


def test_each_patch_is_a_generator_of_its_own_that_gets_the_same_noise() -> None:
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 2, 3)
    whole = QuantumGenerator(engine, 5, LATENT, CLASSES, patches=3)
    single = QuantumGenerator(engine, 2, LATENT, CLASSES)
    flat, z, onehot, using = whole.initial(SEED, 0), normal(6, LATENT), labels(6), settings()
    rows = whole.sample(flat, z, onehot, using)
    assert rows.shape == (6, 5)
    p = whole.layout.split(flat)
    made = []
    for patch in range(3):
        inputs, layers = slice(2 * patch, 2 * patch + 2), slice(3 * patch, 3 * patch + 3)
        own = torch.cat([p["linear"][inputs].flatten(), p["bias"][inputs], p["weights"][layers].flatten()])
        made.append(single.sample(own, z, onehot, using))
    torch.testing.assert_close(rows, torch.cat(made, dim=1)[:, :5])


def test_a_scale_of_1_changes_nothing_and_others_scale_their_feature() -> None:
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 2, 3)
    plain, scaled = (QuantumGenerator(engine, 2, LATENT, CLASSES, output_scale=on) for on in (False, True))
    flat, given = plain.initial(SEED, 0), (normal(6, LATENT), labels(6), settings())
    start = scaled.initial(SEED, 0)
    assert torch.equal(start, torch.cat([flat, torch.ones(2)]))
    assert torch.equal(scaled.sample(start, *given), plain.sample(flat, *given))
    start[-1] = 2.0
    torch.testing.assert_close(scaled.sample(start, *given), plain.sample(flat, *given) * torch.tensor([1.0, 2.0]))


# The ablation


@pytest.mark.parametrize(("n_qubits", "n_features", "n_classes"), [(4, 4, 3), (2, 1, 1), (3, 3, 2), (4, 64, 10)])
def test_the_classical_generator_has_about_as_many_parameters_as_the_quantum_one(
    n_qubits: int, n_features: int, n_classes: int
) -> None:
    patches = -(-n_features // n_qubits)
    sizes = []
    for generator in ({"kind": "quantum", "patches": patches}, {"kind": "classical"}):
        made = trial(n_qubits=n_qubits, generator=generator)
        sizes.append(made.build_generator(made.circuit(), n_features, n_classes).layout.size)
    unit = LATENT + n_classes + 1 + n_features
    assert abs(sizes[0] - sizes[1]) <= unit / 2


def test_hidden_units_of_the_classical_generator_can_be_given() -> None:
    made = trial(generator={"kind": "classical", "n_hidden": 7})
    generator = made.build_generator(made.circuit(), 2, CLASSES)
    assert generator.layout.size == 7 * (LATENT + CLASSES + 1) + 2 * 8
    flat = generator.initial(SEED, 0)
    z, onehot = normal(5, LATENT), labels(5)
    p = generator.layout.split(flat)
    hidden = torch.nn.functional.leaky_relu(torch.cat([z, onehot], dim=1) @ p["w1"].T + p["b1"], 0.2)
    expected = torch.tanh(hidden @ p["w_out"].T + p["b_out"])
    torch.testing.assert_close(generator.sample(flat, z, onehot, settings()), expected)


# The variational autoencoder


def vae(decoder: str) -> tuple[VAEGenerator, Controls]:
    sizes = {"latent_dim": LATENT, "vae_width": 6}
    made = trial(generator={"kind": "vae", "decoder": decoder}, capacity=sizes, defaults=sizes)
    generator = made.build_generator(made.circuit(), 3, CLASSES)
    assert isinstance(generator, VAEGenerator)
    masks = {"vae_unit_mask": torch.ones(6), "vae_layer_mask": torch.ones(2), "kl_weight": torch.tensor(0.7)}
    return generator, settings(**masks)


@pytest.mark.parametrize("decoder", ["classical", "quantum"])
def test_a_vae_minimises_reconstruction_and_divergence(decoder: str) -> None:
    generator, using = vae(decoder)
    flat = generator.initial(SEED, 0) + 0.1 * normal(generator.layout.size)
    real = Rows(normal(8, 3, seed=1) / 3, labels(8), torch.tensor([0.25] * 4 + [0.0] * 4))
    noise = normal(8, LATENT, seed=2)
    mean, log_variance = generator.encode(flat, real.x, real.onehot, using)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    divergence = torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
    again = generator.sample(flat, posterior.mean + posterior.stddev * noise, real.onehot, using)
    expected = 0.3 + (((again - real.x) ** 2).sum(dim=1) / 2 + 0.7 * divergence)[:4].mean()
    found = generator.regularised(torch.tensor(0.3), flat, noise, real, using)
    torch.testing.assert_close(found, expected)


def test_latent_coordinates_out_of_use_cost_nothing() -> None:
    generator, using = vae("classical")
    flat = generator.initial(SEED, 0)
    real = Rows(normal(4, 3, seed=1) / 3, labels(4), torch.full((4,), 0.25))
    noise, using = normal(4, LATENT), using._replace(latent_mask=torch.tensor([1.0, 0, 0]))
    gradient = torch.func.grad(lambda flat: generator.regularised(torch.zeros(()), flat, noise, real, using))(flat)
    p = generator.layout.split(gradient)
    for name in ("mean_w", "mean_b", "spread_w", "spread_b"):
        assert (p[f"encoder.{name}"][1:] == 0).all()
        assert (p[f"encoder.{name}"][:1] != 0).any()


# The Born machine


@pytest.mark.parametrize(
    ("n_qubits", "n_features", "expected"),
    [
        (2, 1, [[-0.9], [-0.3], [0.3], [0.9]]),
        (2, 2, [[-0.9, -0.9], [-0.9, 0.9], [0.9, -0.9], [0.9, 0.9]]),
        (3, 2, [[-0.9 + 0.6 * (i // 2), [-0.9, 0.9][i % 2]] for i in range(8)]),
    ],
)
def test_the_grid(n_qubits: int, n_features: int, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(grid(n_qubits, n_features, -0.9, 0.9), expected)


def born(n_qubits: int = 3) -> BornGenerator:
    engine = StatevectorEngine(ANSAETZE["strongly_entangling"], n_qubits, 3, readout="probabilities")
    return BornGenerator(engine, 1, CLASSES, -0.9, 0.9)


def test_probabilities_are_pennylanes_and_each_class_has_its_own() -> None:
    generator, using = born(), settings()
    flat = normal(generator.layout.size)
    p = generator.layout.split(flat)
    ansatz = ANSAETZE["strongly_entangling"]

    @qp.qnode(qp.device("default.qubit", wires=3), interface="torch")
    def circuit(inputs: Tensor, weights: Tensor) -> object:
        ansatz.embed(inputs, 3)
        for index in range(3):
            ansatz.apply(index, inputs, weights[index], 3)
        return qp.probs(wires=range(3))

    found = generator.probabilities(flat, using)
    for label in range(CLASSES):
        expected = circuit(p["inputs"][label].double(), p["weights"][label].double())
        torch.testing.assert_close(found[label].double(), expected, rtol=0, atol=1e-5)
    assert not torch.allclose(found[0], found[1], atol=0.01)


def test_samples_have_the_probabilities() -> None:
    generator, using = born(), settings()
    flat = normal(generator.layout.size)
    n = 20_000
    onehot = labels(1)[:1].expand(n, -1)
    rows = generator.sample(flat, normal(n, 1), onehot, using)
    shares = torch.stack([(rows == value).float().mean() for value in generator.grid[:, 0]])
    torch.testing.assert_close(shares, generator.probabilities(flat, using)[0], rtol=0, atol=4 * 0.5 / math.sqrt(n))


def test_losses_average_over_the_whole_distribution_in_the_shares_of_the_labels() -> None:
    generator, using = born(), settings()
    flat = normal(generator.layout.size)
    onehot, share = labels(5), torch.tensor([0.5, 0.25, 0.25, 0.0, 0.0])
    rows = generator.make(flat, normal(5, 1), onehot, using).rows(onehot, share)
    assert rows.weights.sum().item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(rows.weights @ rows.onehot, torch.tensor([0.75, 0.25]), rtol=0, atol=1e-5)
    own = rows.weights[rows.onehot[:, 1] == 1] / 0.25
    torch.testing.assert_close(own, generator.probabilities(flat, using)[1], rtol=0, atol=1e-5)
    assert torch.equal(rows.x[:8], generator.grid)


def test_it_starts_near_the_uniform_distribution() -> None:
    found = born().probabilities(born().initial(SEED, 0), settings())
    assert (found > 0.5 / 8).all()
    assert (found < 2 / 8).all()


def test_too_long_a_list_is_refused() -> None:
    made = trial(n_qubits=13, generator={"kind": "born"})
    with pytest.raises(QsynthError, match="n_qubits must be at most 12 with generator born; got 13"):
        made.build_generator(made.circuit(), 1, 1)

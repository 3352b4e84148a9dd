"""What finite shots do to rows: no lattice, the noise that they should have, and gradients of what was meant."""

from typing import Any

import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.tabular import TableData
from qsynth.gan.quantum import QuantumGenerator
from qsynth.gan.reading import as_read, dithered, shots_of
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import OFF, Controls

FEW = 16
SOURCE = TableData(name="iris", n_train=40)
KINDS: dict[str, dict[str, Any]] = {
    "quantum": {},
    "affine": {"generator": {"kind": "quantum", "inputs": "affine"}},
    "patches": {"n_qubits": 2, "generator": {"kind": "quantum", "patches": 2}},
    "quantum_vae": {"generator": {"kind": "vae", "decoder": "quantum"}},
    "classical": {"generator": {"kind": "classical"}},
    "device": {"engine": {"name": "default.qubit", "shots": FEW}},
}


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def generators(kind: str) -> tuple[Any, Any, Controls]:
    """Of finite shots, the same without, and controls."""
    made = TrialConfig.model_validate({"n_qubits": 4, "engine": {"shots": FEW}, **KINDS[kind]})
    with_shots = made.build_generator(made.circuit(), 4, 3)
    without = made.build_generator(made.on({"name": "statevector"}).circuit(), 4, 3)
    using = Controls(*[OFF] * 9)._replace(latent_mask=torch.ones(4), layer_mask=torch.ones(3))
    return with_shots, without, using


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_rows_share_a_value_and_none_leaves_the_exact_range(kind: str) -> None:
    made = TrialConfig.model_validate({"n_qubits": 4, "engine": {"shots": FEW}, **KINDS[kind]})
    pop = Population(made, 4, 3, 1)
    pop.reset([0], [SOURCE.instance(0, held_out=False)], [5])
    rows = pop.sample(0, torch.eye(3)[torch.arange(500) % 3], seed=2)
    assert [len(column.unique()) for column in rows.T] == [500] * 4
    assert rows.abs().max() <= 1


# A device takes the shots of equal circuits once.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "device"])
def test_shots_add_the_variance_of_a_mean_of_outcomes_and_of_one_lattice_step(kind: str) -> None:
    """With latent coordinates held fixed, what is left is the noise."""
    with_shots, without, using = generators(kind)
    n = 4000
    z, onehot = normal(1, 4).expand(n, -1), torch.eye(3)[:1].expand(n, -1)
    flat = with_shots.initial(torch.tensor(3), 0)
    assert with_shots.layout.size == without.layout.size
    assert with_shots.n_noise == without.n_noise + 4
    exact = without.sample(flat, z, onehot, using)[0]
    rows = with_shots.sample(flat, torch.cat([z, normal(n, 4, seed=1)], dim=1), onehot, using)
    wanted = (1 - exact**2) / FEW + (0 if kind == "classical" else (1 / FEW) ** 2 / 3)
    inside = exact.abs() < 0.4
    assert inside.any()
    ratio = (rows.var(dim=0) / wanted)[inside]
    assert ((ratio - 1).abs() < 5 * (2 / n) ** 0.5).all()
    assert ((rows.mean(dim=0) - exact).abs() < 5 * (wanted / n).sqrt())[inside].all()


def test_noise_of_a_lattice_step_fills_the_steps_evenly() -> None:
    """Its own variance is (1 / shots)^2 / 3; at the ends it is turned inward."""
    x = torch.tensor([[-1.0, 0.25, 1.0]]).expand(20_000, -1)
    found = dithered(x, normal(20_000, 3), 8) - x
    assert found[:, 1].abs().max() <= 1 / 8
    assert float(found[:, 1].var()) == pytest.approx((1 / 8) ** 2 / 3, rel=0.03)
    assert (found[:, 0] >= 0).all()
    assert (found[:, 2] <= 0).all()
    shares = torch.histc(found[:, 1], bins=8, min=-1 / 8, max=1 / 8) / len(x)
    assert (shares - 1 / 8).abs().max() < 0.012
    fewer = dithered(x, normal(20_000, 3), torch.tensor(4.0)) - x
    torch.testing.assert_close(fewer[:, 1], 2 * found[:, 1])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("classical", "device")])
def test_the_gradient_is_that_of_exact_rows(kind: str) -> None:
    with_shots, without, using = generators(kind)
    flat, z, onehot, more = with_shots.initial(torch.tensor(3), 0), normal(6, 4), torch.eye(3)[:2].repeat(3, 1), 4
    factor, noise = normal(6, 4, seed=5), torch.cat([z, normal(6, more, seed=1)], dim=1)
    found = torch.func.grad(lambda at: (factor * with_shots.sample(at, noise, onehot, using)).sum())(flat)
    wanted = torch.func.grad(lambda at: (factor * without.sample(at, z, onehot, using)).sum())(flat)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_classical_twins_noise_is_differentiable_everywhere() -> None:
    """Also where tanh saturates."""
    x, noise = torch.linspace(-30, 30, 61, dtype=torch.float64), normal(61).double()
    gradient = torch.func.grad(lambda at: as_read(at, noise, 32).sum())(x)
    assert torch.isfinite(gradient).all()
    h = 1e-6
    difference = (as_read(x + h, noise, 32) - as_read(x - h, noise, 32)) / (2 * h)
    away = x != 0  # where the noise has a kink
    torch.testing.assert_close(gradient[away], difference[away], rtol=1e-5, atol=1e-7)
    assert as_read(x, 100 * noise, torch.tensor(2.0)).abs().max() <= 1


def test_wanted_shots_are_whole_and_within_the_engines() -> None:
    assert shots_of(32, Controls(*[OFF] * 9)) == 32
    for wanted, taken in ((0.2, 1), (7.6, 8), (99.0, 32)):
        assert shots_of(32, Controls(*[OFF] * 9)._replace(shots=torch.tensor(wanted))) == taken


@pytest.mark.parametrize("kind", ["affine", "patches", "quantum_vae", "classical"])
def test_lanes_of_several_shots_are_what_each_is_alone(kind: str) -> None:
    made, _, using = generators(kind)
    flat = torch.stack([made.initial(torch.tensor(seed), 0) for seed in range(3)])
    noise, onehot, wanted = normal(3, 6, made.n_noise), torch.eye(3)[:2].repeat(3, 1), torch.tensor([1.0, 7.0, 16.0])

    def rows(parameters: Tensor, z: Tensor, shots: Tensor) -> Tensor:
        return made.sample(parameters, z, onehot, using._replace(shots=shots))  # type: ignore[no-any-return]

    together = torch.func.vmap(rows)(flat, noise, wanted)
    for lane in range(3):
        torch.testing.assert_close(together[lane], rows(flat[lane], noise[lane], wanted[lane]), rtol=0, atol=1e-5)
    assert not torch.allclose(together[0], rows(flat[0], noise[0], wanted[1]), atol=0.01)


@pytest.mark.slow
def test_a_compiled_twin_with_shots_is_the_eager_one() -> None:
    space = {"shots": {"kind": "float", "low": 2, "high": FEW, "log": True}}
    values = {"n_qubits": 4, "engine": {"shots": FEW}, "search_space": space, **KINDS["classical"]}
    made, found = TrialConfig.model_validate(values), []
    for compiled in (False, True):
        pop = Population(made, 4, 3, 2, compiled=compiled)
        pop.reset(range(2), [SOURCE.instance(seed, held_out=False) for seed in range(2)], [5, 6])
        pop.apply({"shots": torch.tensor([3.0, 16.0]).numpy(), "lr_critic": torch.zeros(2).numpy()})
        pop.advance(1)
        found.append(pop.snapshot(0).tensors["generator_adam.first"])
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)


# Inputs of classes


def test_affine_inputs_give_every_class_a_matrix_and_a_vector() -> None:
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 2, 1)
    made = QuantumGenerator(engine, 2, 3, 2, inputs="affine")
    flat = made.initial(torch.tensor(1), 0)
    p, using = made.layout.split(flat), Controls(*[OFF] * 9)._replace(latent_mask=torch.tensor([1.0, 1.0, 0.0]))
    z, onehot = normal(6, 3), torch.eye(2)[torch.arange(6) % 2]
    angles, _ = made.angles(flat, z, onehot, using)
    matrices, vectors = p["linear"][:, :6].unflatten(1, (3, 2)), p["linear"][:, 6:]
    for row, label in enumerate(onehot.argmax(dim=1).tolist()):
        expected = matrices[:, :2, label] @ z[row, :2] + vectors[:, label] + p["bias"]
        torch.testing.assert_close(angles[row], expected)


def test_affine_inputs_start_as_spread_as_what_acts_on_one_row_would() -> None:
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 4, 1)
    made = QuantumGenerator(engine, 4, 3, 50, inputs="affine")
    start = made.layout.split(made.initial(torch.tensor(1), 0))["linear"]
    assert float(start.abs().max()) == pytest.approx(1 / 4**0.5, rel=0.02)


@pytest.mark.parametrize("ansatz", ["ry_rx_cnot", "data_reuploading", "style"])
@pytest.mark.parametrize("inputs", ["shift", "affine"])
def test_a_twin_has_the_size_of_the_circuit_with_its_inputs(ansatz: str, inputs: str) -> None:
    sizes = []
    for generator in ({"kind": "quantum", "inputs": inputs}, {"kind": "classical", "inputs": inputs}):
        made = TrialConfig.model_validate({"n_qubits": 4, "ansatz": ansatz, "generator": generator})
        sizes.append(made.build_generator(made.circuit(), 4, 3).layout.size)
    assert abs(sizes[0] - sizes[1]) <= (4 + 3 + 1 + 4) / 2

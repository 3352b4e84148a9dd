"""What is particular to PennyLane devices: methods of gradients, shots, what is paid for."""

import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.options import DeviceOptions, SpsaConfig
from qsynth.circuits.spend import Spend

INPUTS = torch.tensor([[0.3, 1.9], [-0.8, 0.4], [2.2, 1.1]], dtype=torch.float64)
WEIGHTS = torch.tensor([[0.2, -0.4, 1.1, 0.7], [-1.3, 0.5, 0.1, 2.0]], dtype=torch.float64)
ON = torch.ones(2, dtype=torch.float64)


def engine(device: str = "default.qubit", **options: object) -> PennyLaneEngine:
    return PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 2, device, DeviceOptions.model_validate(options))


def gradients(made: PennyLaneEngine, factors: Tensor | None = None) -> tuple[Tensor, Tensor]:
    factors = torch.ones(3, 2, dtype=torch.float64) if factors is None else factors

    def loss(inputs: Tensor, weights: Tensor) -> Tensor:
        return (factors * made.expectations(inputs, weights, ON)).sum()

    return torch.func.grad(loss, argnums=(0, 1))(INPUTS, WEIGHTS)


@pytest.mark.parametrize(
    ("device", "options", "method"),
    [
        ("default.qubit", {}, "backprop"),
        ("default.mixed", {}, "backprop"),
        ("lightning.qubit", {}, "adjoint"),
        ("default.qubit", {"shots": 10}, "parameter-shift"),
        ("lightning.qubit", {"shots": 10}, "parameter-shift"),
        ("default.qubit", {"shots": 10, "differentiation": "spsa"}, "spsa"),
    ],
)
def test_the_best_method_is_the_cheapest_that_a_device_has(
    device: str, options: dict[str, object], method: str
) -> None:
    assert engine(device, **options).method == method


@pytest.mark.parametrize("device", ["default.qubit", "default.mixed", "lightning.qubit"])
def test_shots_are_a_function_of_the_circuit_so_that_a_study_repeats(device: str) -> None:
    first, second = (engine(device, shots=50).expectations(INPUTS, WEIGHTS, ON) for _ in range(2))
    assert torch.equal(first, second)
    other = engine(device, shots=50).expectations(INPUTS, WEIGHTS + 1e-9, ON)
    assert not torch.equal(first, other)
    found = [gradients(engine(device, shots=50))[1] for _ in range(2)]
    assert torch.equal(*found)


@pytest.mark.parametrize("noise", [None, {"one_qubit": 0.01, "two_qubit": 0.02, "readout": 0.03}])
def test_a_gradient_does_not_pay_for_its_value_again(noise: dict[str, float] | None) -> None:
    made = engine("default.mixed", shots=20, differentiation="parameter-shift", noise=noise)
    gradients(made)
    assert made.cost(3) == Spend(3, 60)
    assert made.cost(3, gradient=True) == Spend(3 * 2 * 10, 3 * 2 * 10 * 20)
    assert made.ledger.spent == Spend(3, 60) + Spend(60, 1200)


def test_rows_that_do_not_count_are_not_executed_for_a_gradient() -> None:
    made, exact = engine(differentiation="parameter-shift"), engine()
    factors = torch.tensor([[1.0, -2.0], [0.0, 0.0], [0.5, 0.0]], dtype=torch.float64)
    found, wanted = gradients(made, factors), gradients(exact, factors)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-8)
    assert made.ledger.spent.circuits == made.cost(3).circuits + made.cost(2, gradient=True).circuits
    before = made.ledger.spent
    zero = made.vector_jacobian(INPUTS, WEIGHTS, [0, 1], torch.zeros(3, 2, dtype=torch.float64))
    assert not any(part.any() for part in zero)
    assert made.ledger.spent == before


def test_spsa_scatters_around_the_gradient_and_costs_two_circuits_a_direction() -> None:
    made = engine(differentiation="spsa", spsa=SpsaConfig(step=0.01, directions=2))
    exact = gradients(engine())[1]
    draws = []
    for shift in range(100):
        # Another turn by 2 pi is the same circuit, with other random directions.
        weights = WEIGHTS + 2 * torch.pi * shift
        _, drawn = made.vector_jacobian(INPUTS, weights, [0, 1], torch.ones(3, 2, dtype=torch.float64))
        draws.append(drawn)
    drawn = torch.stack(draws)
    standard_error = drawn.std(dim=0) / 10
    assert (standard_error > 0).all()
    assert ((drawn.mean(dim=0) - exact).abs() < 5 * standard_error + 1e-3).all()
    once = engine(differentiation="spsa", spsa=SpsaConfig(step=0.01, directions=2))
    gradients(once)
    assert once.cost(3, gradient=True).circuits == 12
    assert once.ledger.spent.circuits == 3 + 12


def test_every_basis_is_a_circuit_of_its_own() -> None:
    both = PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 2, "lightning.qubit", DeviceOptions(shots=10), "zx")
    both.expectations(INPUTS, WEIGHTS, ON)
    assert both.cost(3) == both.ledger.spent == Spend(6, 60)


def test_lightning_has_the_gradient_of_the_inverse_of_a_pauli_rotation() -> None:
    def layer(_index: int, _inputs: Tensor, weights: Tensor, _n_qubits: int) -> None:
        qp.RY(weights[0], wires=0)
        qp.adjoint(qp.PauliRot(weights[1], "XY", wires=[0, 1]))

    ansatz = Ansatz(name="own", layer=layer, n_layer_weights=lambda _: 2)

    def slope(device: str) -> Tensor:
        made = PennyLaneEngine(ansatz, 2, 2, device)
        return torch.func.grad(lambda w: made.expectations(INPUTS, w, ON).sum())(WEIGHTS[:, :2])

    wanted = slope("default.qubit")
    assert (wanted.abs() > 1e-3).all()
    torch.testing.assert_close(slope("lightning.qubit"), wanted, rtol=0, atol=1e-6)

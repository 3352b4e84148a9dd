"""What every pair of ansatz and engine must hold to: values and gradients are those of the circuit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, angle_embedding
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.ledger import Spend
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.statevector import StatevectorEngine


def ry_rx_cnot(weights: Tensor, _index: int, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    ring = [(wire, wire + 1) for wire in range(n_qubits - 1)] + [(n_qubits - 1, 0)]
    for control, target in ring if n_qubits > 1 else []:
        qp.CNOT(wires=[control, target])


def strongly_entangling(weights: Tensor, index: int, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RZ(weights[3 * wire], wires=wire)
        qp.RY(weights[3 * wire + 1], wires=wire)
        qp.RZ(weights[3 * wire + 2], wires=wire)
    for wire in range(n_qubits if n_qubits > 1 else 0):
        qp.CNOT(wires=[wire, (wire + 1 + index % (n_qubits - 1)) % n_qubits])


def hardware_efficient(weights: Tensor, _index: int, n_qubits: int) -> None:
    for wire in range(1, n_qubits):
        qp.ctrl(qp.Z(wire), control=wire - 1)
    for wire in range(n_qubits):
        qp.RZ(weights[2 * wire], wires=wire)
        qp.RY(weights[2 * wire + 1], wires=wire)


# Layers written out gate by gate; an ansatz that has none here is compared with its own definition.
LAYERS: dict[str, Callable[[Tensor, int, int], None]] = {
    "ry_rx_cnot": ry_rx_cnot,
    "strongly_entangling": strongly_entangling,
    "hardware_efficient": hardware_efficient,
}
ANGLE_EMBEDDED = [name for name in sorted(ANSAETZE) if ANSAETZE[name].embed is angle_embedding]


def reference(name: str, n_qubits: int, angles: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    """<Z> (batch x qubits) from a QNode, differentiable."""

    @qp.qnode(qp.device("default.qubit", wires=n_qubits), interface="torch", diff_method="backprop")
    def circuit(row: Tensor) -> Any:
        if name in LAYERS:
            for wire in range(n_qubits):
                qp.RX(row[wire], wires=wire)
        else:
            ANSAETZE[name].embed(row, n_qubits)
        for index in range(len(mask)):
            if mask[index] > 0 and name in LAYERS:
                LAYERS[name](weights[index], index, n_qubits)
            elif mask[index] > 0:
                ANSAETZE[name].layer(index, row, weights[index], n_qubits)
        return [qp.expval(qp.Z(wire)) for wire in range(n_qubits)]

    return torch.stack([torch.stack(list(circuit(row))) for row in angles])


def make(engine: str, ansatz: str, n_qubits: int, n_layers: int) -> StatevectorEngine | PennyLaneEngine:
    device, _, differentiation = engine.partition("/")
    if device.startswith("float"):
        return StatevectorEngine(ANSAETZE[ansatz], n_qubits, n_layers, getattr(torch, device))
    return PennyLaneEngine(
        ANSAETZE[ansatz],
        n_qubits,
        n_layers,
        device,
        DeviceOptions.model_validate({"differentiation": differentiation or "best"}),
    )


def problem(ansatz: str, n_qubits: int, n_layers: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Angles, weights, and what multiplies <Z> in the loss whose gradient is compared."""
    random = torch.Generator().manual_seed(100 * n_qubits + n_layers)
    n_inputs = ANSAETZE[ansatz].n_inputs(n_qubits, n_layers)
    angles = 2 * np.pi * torch.rand(batch, n_inputs, generator=random, dtype=torch.float64) - np.pi
    n_weights = ANSAETZE[ansatz].n_layer_weights(n_qubits)
    weights = 2 * np.pi * torch.rand(n_layers, n_weights, generator=random, dtype=torch.float64) - np.pi
    return angles, weights, torch.randn(batch, n_qubits, generator=random, dtype=torch.float64)


def masks(n_layers: int) -> list[Tensor]:
    on, off = torch.ones(n_layers, dtype=torch.float64), torch.zeros(n_layers, dtype=torch.float64)
    last_off, first_off = on.clone(), on.clone()
    last_off[-1], first_off[0] = 0, 0
    return [on, off] if n_layers == 1 else [on, off, last_off, first_off]


def with_gradients(
    values: Callable[[Tensor, Tensor], Tensor], angles: Tensor, weights: Tensor, factor: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    angles, weights = angles.detach().requires_grad_(), weights.detach().requires_grad_()
    found = values(angles, weights)
    zero = 0 * (angles.sum() + weights.sum())  # so that both take part even where every layer is off
    d_angles, d_weights = torch.autograd.grad((factor * found).sum() + zero, (angles, weights))
    return found.detach(), d_angles, d_weights


SIZES = [(n_qubits, n_layers) for n_qubits in (1, 2, 3, 4) for n_layers in (1, 2, 3)]
CASES = [
    *((engine, *size) for engine in ("float64", "float32") for size in SIZES),
    *((engine, *size) for engine in ("default.qubit/backprop", "lightning.qubit/adjoint") for size in SIZES),
    *(("default.qubit/parameter-shift", *size) for size in [(1, 1), (2, 2), (3, 3), (4, 1)]),
]


@pytest.mark.parametrize("ansatz", sorted(ANSAETZE))
@pytest.mark.parametrize(("engine", "n_qubits", "n_layers"), CASES)
def test_values_and_gradients_are_those_of_the_circuit(ansatz: str, engine: str, n_qubits: int, n_layers: int) -> None:
    angles, weights, factor = problem(ansatz, n_qubits, n_layers)
    made = make(engine, ansatz, n_qubits, n_layers)
    dtype = torch.float64 if engine == "float64" else torch.float32
    tolerance = 1e-10 if engine == "float64" else 1e-5
    for mask in masks(n_layers):
        wanted = with_gradients(lambda a, w, m=mask: reference(ansatz, n_qubits, a, w, m), angles, weights, factor)  # type: ignore[misc]
        found = with_gradients(
            lambda a, w, m=mask: made.expectations(a, w, m.to(dtype)),  # type: ignore[misc]
            angles.to(dtype),
            weights.to(dtype),
            factor.to(dtype),
        )
        for name, one, other in zip(("values", "d_angles", "d_weights"), found, wanted, strict=True):
            assert one.dtype == dtype
            torch.testing.assert_close(one.double(), other, rtol=0, atol=tolerance, msg=f"{name}, mask {mask.tolist()}")


@pytest.mark.parametrize("ansatz", sorted(ANSAETZE))
@pytest.mark.parametrize("engine", ["float64", "lightning.qubit/adjoint", "default.qubit/parameter-shift"])
def test_lanes_and_their_gradients_under_vmap(ansatz: str, engine: str) -> None:
    """Lanes have their own angles, weights and masks; the gradient is taken inside and outside of a lane."""
    n_qubits = 2
    angles, weights, factor = problem(ansatz, n_qubits, 2, batch=6)
    angles, factor = angles.reshape(3, 2, -1), factor.reshape(3, 2, 2)
    lanes = torch.stack([weights, weights.flip(0), weights + 1])
    mask = torch.tensor([[1, 1], [1, 0], [0, 0]], dtype=torch.float64)
    made = make(engine, ansatz, 2, 2)

    def loss(a: Tensor, w: Tensor, m: Tensor, f: Tensor) -> Tensor:
        return (f * made.expectations(a, w, m)).sum()

    values = torch.func.vmap(made.expectations)(angles, lanes, mask)
    d_angles, d_weights = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)))(angles, lanes, mask, factor)
    shared = torch.func.vmap(made.expectations, in_dims=(0, None, None))(angles, weights, mask[0])
    for lane in range(3):

        def values_of(a: Tensor, w: Tensor, m: Tensor = mask[lane]) -> Tensor:
            return reference(ansatz, n_qubits, a, w, m)

        wanted = with_gradients(values_of, angles[lane], lanes[lane], factor[lane])
        for one, other in zip((values[lane], d_angles[lane], d_weights[lane]), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
        same = reference(ansatz, n_qubits, angles[lane], weights, mask[0])
        torch.testing.assert_close(shared[lane], same, rtol=0, atol=1e-6)


ANGLE = st.floats(-20, 20, allow_nan=False, width=32)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(data=st.data(), ansatz=st.sampled_from(sorted(ANSAETZE)), n_qubits=st.integers(1, 3))
def test_any_angles(data: st.DataObject, ansatz: str, n_qubits: int) -> None:
    n_weights, n_inputs = ANSAETZE[ansatz].n_layer_weights(n_qubits), ANSAETZE[ansatz].n_inputs(n_qubits, 2)
    drawn = data.draw(st.lists(ANGLE, min_size=n_inputs + 2 * n_weights, max_size=n_inputs + 2 * n_weights))
    numbers = torch.tensor(drawn, dtype=torch.float64)
    angles, weights = numbers[None, :n_inputs], numbers[n_inputs:].reshape(2, n_weights)
    on = torch.ones(2, dtype=torch.float64)
    engine = StatevectorEngine(ANSAETZE[ansatz], n_qubits, 2, torch.float64)
    found = engine.expectations(angles, weights, on)
    torch.testing.assert_close(found, reference(ansatz, n_qubits, angles, weights, on), rtol=0, atol=1e-10)
    re, im = engine.unitary(weights, on)
    unitary = torch.complex(re, im)
    identity = torch.eye(2**n_qubits, dtype=unitary.dtype)
    torch.testing.assert_close(unitary @ unitary.conj().T, identity, rtol=0, atol=1e-10)


@pytest.mark.parametrize("engine", ["float64", "lightning.qubit", "default.qubit"])
@pytest.mark.parametrize("ansatz", ANGLE_EMBEDDED)
def test_qubit_order(ansatz: str, engine: str) -> None:
    """A flip of qubit k shows on output k, and on no other."""
    n_weights = ANSAETZE[ansatz].n_layer_weights(3)
    angles = torch.diag(torch.full((3,), np.pi, dtype=torch.float64))
    off, weights = torch.zeros(1, dtype=torch.float64), torch.zeros(1, n_weights, dtype=torch.float64)
    found = make(engine, ansatz, 3, 1).expectations(angles, weights, off)
    torch.testing.assert_close(found, 1 - 2 * torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("ansatz", sorted(ANSAETZE))
@pytest.mark.parametrize("n_qubits", [5, 6, 7, 8, 9, 12])
def test_many_qubits(ansatz: str, n_qubits: int) -> None:
    """Above seven qubits layers are matrices on groups of wires, of which the last may be smaller."""
    angles, weights, factor = problem(ansatz, n_qubits, 2)
    on = torch.ones(2, dtype=torch.float64)
    engine = StatevectorEngine(ANSAETZE[ansatz], n_qubits, 2, torch.float64)
    found = with_gradients(lambda a, w: engine.expectations(a, w, on), angles, weights, factor)
    wanted = with_gradients(lambda a, w: reference(ansatz, n_qubits, a, w, on), angles, weights, factor)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


# The last RZ of each qubit, in the last layer only, commutes with the CNOTs behind it and with Z.
WITHOUT_EFFECT = {"strongly_entangling", "data_reuploading", "iqp"}


@pytest.mark.parametrize("ansatz", sorted(ANSAETZE))
@pytest.mark.parametrize("n_qubits", [1, 2, 3, 5])
def test_every_weight_and_every_input_has_an_effect(ansatz: str, n_qubits: int) -> None:
    angles, weights, _ = problem(ansatz, n_qubits, 2, batch=4)
    engine = StatevectorEngine(ANSAETZE[ansatz], n_qubits, 2, torch.float64)
    on = torch.ones(2, dtype=torch.float64)
    of_inputs, of_weights = torch.func.jacrev(lambda a, w: engine.expectations(a, w, on), argnums=(0, 1))(
        angles, weights
    )
    assert (of_inputs.abs().amax(dim=(0, 1, 2)) > 1e-6).all()
    has_effect = of_weights.abs().amax(dim=(0, 1)) > 1e-6
    expected = torch.ones_like(has_effect)
    if ansatz in WITHOUT_EFFECT:
        expected[-1, 2::3] = False
    assert torch.equal(has_effect, expected)


@pytest.mark.parametrize("ansatz", sorted(ANSAETZE))
def test_finite_shots_scatter_around_the_circuit_and_are_counted(ansatz: str) -> None:
    shots = 4000
    angles, weights, _ = problem(ansatz, 2, 1, batch=3)
    engine = PennyLaneEngine(ANSAETZE[ansatz], 2, 1, "default.qubit", DeviceOptions(shots=shots))
    on = torch.ones(1, dtype=torch.float64)
    found = engine.expectations(angles, weights, on)
    wanted = reference(ansatz, 2, angles, weights, on)
    standard_error = ((1 - wanted**2).clamp(min=0) / shots).sqrt() + 1e-6
    assert ((found - wanted).abs() < 5 * standard_error).all()
    assert not torch.equal(found, wanted)
    assert engine.ledger.spent == engine.cost(3) == Spend(3, 3 * shots)


@pytest.mark.parametrize("ansatz", ["ry_rx_cnot", "strongly_entangling", "basic_entangler", "hardware_efficient"])
def test_the_circuits_of_a_gradient_are_counted(ansatz: str) -> None:
    """Parameter-shift runs two circuits for each angle and weight; hardware bills them."""
    angles, weights, _ = problem(ansatz, 2, 1, batch=3)
    options = DeviceOptions(differentiation="parameter-shift", shots=10)
    engine = PennyLaneEngine(ANSAETZE[ansatz], 2, 1, "default.qubit", options)
    on = torch.ones(1, dtype=torch.float64)
    torch.func.grad(lambda a, w: engine.expectations(a, w, on).sum(), argnums=(0, 1))(angles, weights)
    shifted = 3 * 2 * (2 + weights.numel())
    assert (
        engine.ledger.spent == engine.cost(3) + engine.cost(3, gradient=True) == Spend(3 + shifted, 10 * (3 + shifted))
    )

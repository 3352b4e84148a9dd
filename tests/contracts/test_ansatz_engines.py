"""What every ansatz, encoder and engine must hold to: values and gradients are those of the circuit."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.contract import (
    TOLERANCE,
    ContractCase,
    answer,
    check_ansatz,
    check_engine,
    disagreement,
    masks,
    problem,
    reference,
)
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.encoder import ENCODERS
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.spend import Spend
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.circuits.structure import without_effect


def ry_rx_cnot(weights: Tensor, _index: int, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    ring = [(wire, wire + 1) for wire in range(n_qubits - 1)] + [(n_qubits - 1, 0)]
    for control, target in ring if n_qubits > 1 else []:
        qp.CNOT(wires=[control, target])


def ry_rx_cnot_chain(weights: Tensor, _index: int, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RX(weights[2 * wire + 1], wires=wire) @ qp.RY(weights[2 * wire], wires=wire)
    for target in range(1, n_qubits):
        qp.ctrl(qp.X(target), control=target - 1)


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


def qcnn(weights: Tensor, index: int, n_qubits: int) -> None:
    """Pooling as what it defers: a rotation by the sum where the dropped qubit is 0, by the difference where it's 1."""
    if n_qubits == 1:
        qp.RX(weights[1], wires=0) @ qp.RY(weights[0], wires=0)
        return
    left = list(range(n_qubits))
    for _ in range(index):
        left = left[::2] if len(left) > 2 else list(range(n_qubits))
    pooled = list(zip(left[::2], left[1::2], strict=False))
    between = list(zip(left[1::2], left[2::2] + ([left[0]] if len(left) % 2 == 0 else []), strict=True))
    for first, second in pooled + between * (len(left) > 2):
        qp.RY(weights[0], wires=first)
        qp.RY(weights[1], wires=second)
        qp.MultiRZ(weights[2], wires=[second, first])
        qp.RX(weights[4], wires=second)
        qp.RX(weights[3], wires=first)
    for kept, dropped in pooled:
        qp.ctrl(qp.RY(weights[5] + weights[6], wires=kept), control=dropped, control_values=[0])
        qp.ctrl(qp.RY(weights[5] - weights[6], wires=kept), control=dropped)


def iqp(inputs: Tensor, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.Hadamard(wires=wire)
        qp.RZ(inputs[wire], wires=wire)
    for first in range(n_qubits):
        for second in range(first + 1, n_qubits):
            qp.CNOT(wires=[first, second])
            qp.RZ(inputs[first] * inputs[second], wires=second)
            qp.CNOT(wires=[first, second])


def each_qubit(*gates: Callable[[Tensor, int], Any]) -> Callable[[Tensor, int], None]:
    """Each gate takes the inputs of one qubit (all inputs, qubits x inputs per qubit) and its number."""

    def encode(inputs: Tensor, n_qubits: int) -> None:
        for wire in range(n_qubits):
            for gate in gates:
                gate(inputs.reshape(n_qubits, -1)[wire], wire)

    return encode


# Layers and encoders written out gate by gate; an ansatz that has none here is compared with its own definition.
LAYERS: dict[str, Callable[[Tensor, int, int], None]] = {
    "ry_rx_cnot": ry_rx_cnot,
    "ry_rx_cnot_chain": ry_rx_cnot_chain,
    "strongly_entangling": strongly_entangling,
    "strongly_entangling_ring": lambda weights, _, n_qubits: strongly_entangling(weights, 0, n_qubits),
    "data_reuploading": strongly_entangling,
    "iqp": strongly_entangling,
    "hardware_efficient": hardware_efficient,
    "qcnn": qcnn,
}
ENCODINGS: dict[str, Callable[[Tensor, int], None]] = {
    "angle_x": each_qubit(lambda x, wire: qp.RX(x[0], wires=wire)),
    "angle_y": each_qubit(lambda x, wire: qp.RY(x[0], wires=wire)),
    "angle_z": each_qubit(lambda _, wire: qp.Hadamard(wires=wire), lambda x, wire: qp.RZ(x[0], wires=wire)),
    "dense_angle": each_qubit(lambda x, wire: qp.RY(x[0], wires=wire), lambda x, wire: qp.RZ(x[1], wires=wire)),
    "iqp": iqp,
    "none": lambda inputs, n_qubits: None,
}


class ByHand(Ansatz):
    """An ansatz as written out above."""

    def embed(self, inputs: Any, n_qubits: int) -> None:
        ENCODINGS[self.encoder](inputs, n_qubits)

    def apply(self, index: int, inputs: Any, weights: Any, n_qubits: int) -> None:
        if self.name == "data_reuploading" and index > 0:
            ENCODINGS[self.encoder](inputs, n_qubits)
        if self.name in LAYERS:
            LAYERS[self.name](weights, index, n_qubits)
        else:
            self.layer(index, inputs, weights, n_qubits)


def by_hand(ansatz: Ansatz) -> Ansatz:
    return ByHand(**{field.name: getattr(ansatz, field.name) for field in dataclasses.fields(ansatz)})


OWN = [ANSAETZE[name] for name in sorted(ANSAETZE)]
OTHERS = [
    ANSAETZE[name].encoded(encoder)
    for name in ("ry_rx_cnot", "data_reuploading")
    for encoder in ENCODERS
    if encoder not in ("none", ANSAETZE[name].encoder)
]


def label(value: object) -> str | None:
    return f"{value.name}-{value.encoder}" if isinstance(value, Ansatz) else None


def device(name: str, differentiation: Any = "best", shots: int | None = None) -> Callable[..., PennyLaneEngine]:
    options = DeviceOptions(differentiation=differentiation, shots=shots)
    return lambda ansatz, n_qubits, n_layers: PennyLaneEngine(ansatz, n_qubits, n_layers, name, options)


ENGINES: dict[str, Callable[..., Any]] = {
    "statevector": StatevectorEngine,
    "default.qubit": device("default.qubit", "backprop"),
    "lightning.qubit": device("lightning.qubit", "adjoint"),
}


def test_every_encoder_is_written_out() -> None:
    assert set(ENCODINGS) == set(ENCODERS)


@pytest.mark.parametrize("ansatz", OWN + OTHERS, ids=label)
def test_definitions_are_what_is_written_out_gate_by_gate(ansatz: Ansatz) -> None:
    for n_qubits in (1, 2, 3, 4):
        wanted, found = reference(by_hand(ansatz), n_qubits), reference(ansatz, n_qubits)
        for mask in masks(3):
            asked = problem(ansatz, n_qubits, 3)
            assert disagreement(answer(found, asked, mask), answer(wanted, asked, mask), 1e-12) is None


@pytest.mark.parametrize(
    ("ansatz", "up_to"), [*((each, 4) for each in OWN), *((each, 3) for each in OTHERS)], ids=label
)
def test_ansaetze_hold_to_the_contract(ansatz: Ansatz, up_to: int) -> None:
    check_ansatz(ansatz, n_qubits=range(1, up_to + 1), n_layers=range(1, up_to))


@pytest.mark.parametrize("ansatz", OWN + OTHERS, ids=label)
@pytest.mark.parametrize("engine", ["default.qubit", "lightning.qubit"])
def test_devices_hold_to_the_contract(engine: str, ansatz: Ansatz) -> None:
    sizes: dict[str, Any] = (
        {"n_qubits": (1, 3), "n_layers": (1, 3)} if ansatz in OWN else {"n_qubits": (3,), "n_layers": (2,)}
    )
    check_engine(ENGINES[engine], [ansatz], **sizes)


@pytest.mark.parametrize("ansatz", OWN, ids=label)
def test_parameter_shift_holds_to_the_contract(ansatz: Ansatz) -> None:
    check_engine(device("default.qubit", "parameter-shift"), [ansatz], n_qubits=(2,), n_layers=(2,))


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_engines_hold_to_the_contract(dtype: torch.dtype) -> None:
    check_engine(lambda *size: StatevectorEngine(*size, dtype), dtype=dtype)
    check_engine(ENGINES["default.qubit"], n_qubits=(2,), dtype=dtype)


@pytest.mark.parametrize("engine", ["statevector", "lightning.qubit"])
@pytest.mark.parametrize("ansatz", OWN, ids=label)
def test_lanes_may_share_weights_and_masks(ansatz: Ansatz, engine: str) -> None:
    inputs, weights, _ = problem(ansatz, 2, 2, batch=6).to(torch.float32)
    lanes, mask = inputs.reshape(3, 2, -1), torch.tensor([1.0, 0.0])
    expectations = ENGINES[engine](ansatz, 2, 2).expectations
    found = torch.func.vmap(expectations, in_dims=(0, None, None))(lanes, weights, mask)
    torch.testing.assert_close(found, torch.stack([expectations(lane, weights, mask) for lane in lanes]))


ANGLE = st.floats(-20, 20, allow_nan=False, width=32)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(data=st.data(), ansatz=st.sampled_from(OWN + OTHERS), n_qubits=st.integers(1, 3))
def test_any_angles(data: st.DataObject, ansatz: Ansatz, n_qubits: int) -> None:
    n_weights, n_inputs = ansatz.n_layer_weights(n_qubits), ansatz.n_inputs(n_qubits, 2)
    drawn = data.draw(st.lists(ANGLE, min_size=n_inputs + 2 * n_weights, max_size=n_inputs + 2 * n_weights))
    numbers = torch.tensor(drawn, dtype=torch.float64)
    inputs, weights = numbers[None, :n_inputs], numbers[n_inputs:].reshape(2, n_weights)
    on = torch.ones(2, dtype=torch.float64)
    engine = StatevectorEngine(ansatz, n_qubits, 2, torch.float64)
    found = engine.expectations(inputs, weights, on)
    torch.testing.assert_close(found, reference(by_hand(ansatz), n_qubits)(inputs, weights, on), rtol=0, atol=1e-10)
    size = 2**n_qubits
    basis, zero = torch.eye(size, 2 * size, dtype=torch.float64), torch.zeros(size, n_inputs, dtype=torch.float64)
    applied = engine._layers(basis, zero, weights, on)
    unitary = torch.complex(applied[:, :size].T, applied[:, size:].T)
    identity = torch.eye(size, dtype=unitary.dtype)
    torch.testing.assert_close(unitary @ unitary.conj().T, identity, rtol=0, atol=1e-10)


MANY = [(ansatz, n_qubits) for ansatz in OWN for n_qubits in (5, 6, 7, 8, 9, 12)] + [(each, 8) for each in OTHERS]


@pytest.mark.parametrize(("ansatz", "n_qubits"), MANY, ids=label)
def test_many_qubits(ansatz: Ansatz, n_qubits: int) -> None:
    """Above seven qubits layers are matrices on groups of wires, of which the last may be smaller."""
    asked: ContractCase = problem(ansatz, n_qubits, 2)
    on = torch.ones(2, dtype=torch.float64)
    engine = StatevectorEngine(ansatz, n_qubits, 2, torch.float64)
    wanted = answer(reference(by_hand(ansatz), n_qubits), asked, on)
    assert disagreement(answer(engine.expectations, asked, on), wanted, TOLERANCE[torch.float64]) is None


# The last RZ of each qubit, in the last layer only, commutes with the CNOTs behind it and with Z.
WITHOUT_EFFECT = {"strongly_entangling", "strongly_entangling_ring", "data_reuploading", "iqp"}


@pytest.mark.parametrize("ansatz", OWN + OTHERS, ids=label)
@pytest.mark.parametrize("n_qubits", [1, 2, 3, 5])
def test_every_weight_and_every_input_has_an_effect(ansatz: Ansatz, n_qubits: int) -> None:
    engine = StatevectorEngine(ansatz, n_qubits, 2, torch.float64)
    dead = without_effect(engine, n_qubits)
    assert dead.inputs == ()
    n_weights = ansatz.n_layer_weights(n_qubits) if ansatz.name in WITHOUT_EFFECT else 0
    assert dead.weights == tuple((1, weight) for weight in range(2, n_weights, 3))


@pytest.mark.parametrize("ansatz", OWN, ids=label)
def test_finite_shots_scatter_around_the_circuit_and_are_counted(ansatz: Ansatz) -> None:
    make, shots = device("default.qubit", shots=4000), 4000
    check_engine(make, [ansatz], n_qubits=(2,), n_layers=(1,), shots=shots)
    asked, on = problem(ansatz, 2, 1, batch=3), torch.ones(1, dtype=torch.float64)
    engine = make(ansatz, 2, 1)
    found = engine.expectations(asked.inputs, asked.weights, on)
    assert not torch.equal(found, reference(ansatz, 2)(asked.inputs, asked.weights, on))
    assert engine.ledger.spent == engine.cost(3) == Spend(3, 3 * shots)


@pytest.mark.parametrize("ansatz", ["ry_rx_cnot", "strongly_entangling", "basic_entangler", "hardware_efficient"])
def test_the_circuits_of_a_gradient_are_counted(ansatz: str) -> None:
    """Parameter-shift runs two circuits for each angle and weight; hardware bills them."""
    asked, on = problem(ANSAETZE[ansatz], 2, 1, batch=3), torch.ones(1, dtype=torch.float64)
    engine = device("default.qubit", "parameter-shift", shots=10)(ANSAETZE[ansatz], 2, 1)
    answer(engine.expectations, asked, on)
    shifted = 3 * 2 * (2 + asked.weights.numel())
    assert (
        engine.ledger.spent == engine.cost(3) + engine.cost(3, gradient=True) == Spend(3 + shifted, 10 * (3 + shifted))
    )

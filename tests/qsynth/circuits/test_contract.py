"""The contract finds what is wrong with an ansatz or an engine: each test breaks one thing."""

from collections.abc import Callable
from typing import Any

import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.contract import check_ansatz, check_engine, masks
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError

Layer = Callable[[int, Any, Any, int], None]


def own(layer: Layer, n_weights: Callable[[int], int] = lambda n: n) -> Ansatz:
    return Ansatz(name="own", layer=layer, n_layer_weights=n_weights)


def test_a_sound_ansatz_passes_without_notes() -> None:
    def layer(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
        for wire in range(n_qubits):
            qp.Rot(*weights[3 * wire : 3 * wire + 3], wires=wire)
            qp.RY(0.3, wires=wire)
        for wire in range(n_qubits - 1):
            qp.CRX(weights[-1] * weights[0], wires=[wire + 1, wire])

    assert check_ansatz(own(layer, lambda n: 3 * n)) == []


def test_weights_and_inputs_without_effect_are_noted() -> None:
    def layer(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
        for wire in range(n_qubits):
            qp.RX(weights[wire], wires=wire)
            qp.RZ(weights[n_qubits + wire], wires=wire)

    notes = check_ansatz(own(layer, lambda n: 2 * n + 1), n_qubits=(2,))
    of = "ansatz 'own' with encoder 'angle_x' on 2 qubits, "
    assert notes == [
        f"{of}1 layer: no output depends on weights of layer 0: 2-4 (counted from 0)",
        f"{of}2 layers: no output depends on weights of layer 0: 4; layer 1: 2-4 (counted from 0)",
    ]
    [note] = check_ansatz(own(lambda *_: None, lambda _: 0), "angle_z", n_qubits=(2,), n_layers=(1,))
    assert note.endswith("no output depends on inputs 0, 1 (counted from 0)")


def by_large_value(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    """As by_value, but where the engine does not look when it reads the circuit."""
    for wire in range(n_qubits):
        (qp.RX if weights[wire] < 1.5 else qp.RY)(weights[wire], wires=wire)


def by_value(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    """The circuit's form depends on a weight's value, so that it can't be read once for all."""
    for wire in range(n_qubits):
        (qp.RX if weights[wire] > 0 else qp.RY)(weights[wire], wires=wire)


def detached(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RX(weights[wire].detach(), wires=wire)


def too_many(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits + 1):
        qp.RX(weights[wire], wires=wire % n_qubits)


def outside(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    qp.RX(weights[0], wires=n_qubits)


def damping(_index: int, _inputs: Any, weights: Any, _n_qubits: int) -> None:
    qp.AmplitudeDamping(0.1, wires=0)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (by_value, "can't be executed: a template for the statevector engine must decompose to the same gates"),
        (by_large_value, "on: outputs must be default.qubit's within .* is off by"),
        (detached, "can't be executed: a template for the statevector engine must use angles that are polynomials"),
        (too_many, "on 1 qubit, 1 layer can't be executed: index 1 is out of bounds"),
        (outside, "can't be executed: "),
        (damping, "can't be executed: "),
    ],
)
def test_a_wrong_ansatz_is_caught_in_one_line(layer: Layer, message: str) -> None:
    with pytest.raises(QsynthError, match=f"ansatz 'own' with encoder 'angle_x'.*{message}") as caught:
        check_ansatz(own(layer))
    assert "\n" not in str(caught.value)


class Broken:
    """The statevector engine, with something changed."""

    name = "broken"
    fingerprint = ""

    def __init__(self, ansatz: Ansatz, n_qubits: int, n_layers: int) -> None:
        self._engine = StatevectorEngine(ansatz, n_qubits, n_layers)
        self.n_qubits, self.n_layers = n_qubits, n_layers
        self.n_inputs, self.n_layer_weights = self._engine.n_inputs, self._engine.n_layer_weights

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return self._engine.expectations(inputs, weights, layer_mask)


class Reversed(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, weights, layer_mask).flip(1)


class Unmasked(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        masked = super().expectations(inputs, weights, layer_mask)
        return masked if not layer_mask.any() else super().expectations(inputs, weights, torch.ones_like(layer_mask))


class Imprecise(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, weights, layer_mask) + 2e-5 * layer_mask[0]


class HalfGradient(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, 0.5 * weights + 0.5 * weights.detach(), layer_mask)


class NoInputGradient(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs.detach(), weights, layer_mask)


class WrongLanes(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        in_a_lane = torch._C._functorch.is_functorch_wrapped_tensor(inputs)
        return super().expectations(inputs, weights + 0.1 * in_a_lane, layer_mask)


class NotANumber(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, weights, layer_mask) + torch.nan * layer_mask[0]


class Double(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, weights, layer_mask).double()


class OneShort(Broken):
    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        return super().expectations(inputs, weights, layer_mask)[:, :-1]


class Miscounted(Broken):
    def __init__(self, ansatz: Ansatz, n_qubits: int, n_layers: int) -> None:
        super().__init__(ansatz, n_qubits, n_layers)
        self.n_inputs += 1


class Unnamed(Broken):
    fingerprint = None  # type: ignore[assignment]


def test_a_sound_engine_passes() -> None:
    check_engine(Broken, n_qubits=(1, 2), n_layers=(2,))


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (Unmasked, r"layers \[0\] on: outputs must be default.qubit's within 1e-05"),
        (Imprecise, r"layers \[0, 1\] on: outputs must be default.qubit's within 1e-05; .* is off by 2.*e-05"),
        (HalfGradient, "gradients by weights must be default.qubit's"),
        (NoInputGradient, "gradients by inputs must be default.qubit's"),
        (WrongLanes, "lanes under vmap: outputs must be default.qubit's"),
        (NotANumber, r"layers \[0, 1\] on: outputs must be default.qubit's"),
        (Double, "outputs must be of the inputs' torch.float32; got torch.float64"),
        (OneShort, r"must have the shape \(2, 2\); got \(2, 1\)"),
        (Miscounted, "n_inputs must be 2; got 3"),
        (Unnamed, "fingerprint must be a string"),
    ],
)
def test_a_wrong_engine_is_caught_in_one_line(engine: type[Broken], message: str) -> None:
    with pytest.raises(QsynthError, match=f"engine 'broken' with ansatz 'ry_rx_cnot' on 2 .*{message}") as caught:
        check_engine(engine, [ANSAETZE["ry_rx_cnot"].encoded("angle_y")], n_qubits=(2,), n_layers=(2,))
    assert "\n" not in str(caught.value)


def test_qubits_in_another_order_are_called_that() -> None:
    with pytest.raises(QsynthError, match=r"output k must be <Z> of qubit k; got \[\[1.0, -1.0\], \[-1.0, 1.0\]\]"):
        check_engine(Reversed, n_qubits=(2,))


class Sampled(Broken):
    """Each output as the mean of 1,000 results +-1; ``bias`` is added. Lanes are exact."""

    bias = 0.0
    random = torch.Generator().manual_seed(0)

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        exact = super().expectations(inputs, weights, layer_mask)
        if torch._C._functorch.is_functorch_wrapped_tensor(inputs):  # vmap takes no generator
            return exact
        up = torch.rand(1000, *exact.shape, generator=self.random) < (1 + exact) / 2
        return 2 * up.float().mean(dim=0) - 1 + self.bias * layer_mask.any()


class Biased(Sampled):
    bias = 0.25


def test_shots_may_scatter_within_their_standard_error_only() -> None:
    check_engine(Sampled, n_qubits=(2,), shots=1000)
    for engine, shots in ((Biased, 1000), (Sampled, 10**6)):  # the second says that it takes more than it does
        with pytest.raises(QsynthError, match=f"outputs of {shots} shots must be .* within 5 standard errors; got"):
            check_engine(engine, n_qubits=(2,), shots=shots)


def test_masks_are_all_different() -> None:
    assert [mask.tolist() for mask in masks(1)] == [[1], [0]]
    assert [mask.tolist() for mask in masks(3)] == [[1, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]]

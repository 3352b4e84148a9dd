"""Ansaetze, each defined once, as PennyLane operations that every engine executes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import pennylane as qp

from qsynth.circuits.encoder import ENCODERS, NONE
from qsynth.errors import StudyError
from qsynth.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Ansatz:
    """Variational layers behind an encoder of the inputs.

    Attributes:
        layer: quantum function ``(index, inputs, weights, n_qubits)`` of one layer; its weights and the circuit's
            inputs are flat vectors.
        n_layer_weights: how many weights a layer on ``n_qubits`` has.
        encoder: the registered encoder that it has unless a study names another.
        reuploads: whether the encoder is applied again at the beginning of every layer but the first.
        n_layer_inputs: for layers that take the inputs themselves: how many of them there are for each layer on
            ``n_qubits``. Such an ansatz has no encoder.

    Raises:
        QsynthError: an unknown encoder, one that takes inputs beside layers that take them too, or none of both.
    """

    name: str
    layer: Callable[[int, Any, Any, int], None]
    n_layer_weights: Callable[[int], int]
    encoder: str = "angle_x"
    reuploads: bool = False
    n_layer_inputs: Callable[[int], int] | None = None

    def __post_init__(self) -> None:
        name, encodes = repr(self.name), ENCODERS[self.encoder] is not ENCODERS[NONE]
        if encodes and self.n_layer_inputs is not None:
            raise StudyError(
                f"encoder must be {NONE!r} with ansatz {name}, whose layers take the inputs; got {self.encoder!r}"
            )
        if not encodes and self.n_layer_inputs is None:
            raise StudyError(f"encoder must be one that takes inputs with ansatz {name}; got {self.encoder!r}")

    def encoded(self, encoder: str | None) -> Self:
        """The same layers behind another encoder; None keeps the ansatz's own.

        Raises:
            QsynthError: an unknown encoder, or one that doesn't go with this ansatz.
        """
        return self if encoder is None else replace(self, encoder=encoder)

    def n_inputs(self, n_qubits: int, n_layers: int) -> int:
        """How many inputs a circuit on ``n_qubits`` with ``n_layers`` has."""
        if self.n_layer_inputs is not None:
            return n_layers * self.n_layer_inputs(n_qubits)
        return ENCODERS[self.encoder].n_inputs(n_qubits)

    def embed(self, inputs: Any, n_qubits: int) -> None:
        """Quantum function of what comes before the layers."""
        ENCODERS[self.encoder].encode(inputs, n_qubits)

    def apply(self, index: int, inputs: Any, weights: Any, n_qubits: int) -> None:
        """Quantum function of layer ``index`` as it is executed: re-uploaded inputs come first."""
        if self.reuploads and index > 0:
            self.embed(inputs, n_qubits)
        self.layer(index, inputs, weights, n_qubits)

    def with_patterns(self, others: Sequence["Ansatz"]) -> Self:
        """Every layer in several patterns, one after another: its own, then those of ``others``.

        Whoever executes it has one of each layer's patterns on, and gives all of them the same weights.

        Raises:
            QsynthError: layers that take inputs, or an ansatz that encodes anew before each.
        """
        if not others:
            return self
        variants: tuple[Ansatz, ...] = (self, *others)
        for variant in variants:
            if variant.reuploads or variant.n_layer_inputs is not None:
                raise StudyError(f"patterns must be of ansaetze whose layers take no inputs; got {variant.name!r}")

        def layer(index: int, inputs: Any, weights: Any, n_qubits: int) -> None:
            variants[index % len(variants)].layer(index // len(variants), inputs, weights, n_qubits)

        return replace(self, name="|".join(variant.name for variant in variants), layer=layer)


ANSAETZE: Registry[Ansatz] = Registry("ansatz")


def _ry_rx_cnot(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    if n_qubits > 1:
        for wire in range(n_qubits):
            qp.CNOT(wires=[wire, (wire + 1) % n_qubits])


def _ry_rx_cnot_chain(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    for wire in range(n_qubits - 1):
        qp.CNOT(wires=[wire, wire + 1])


def _strongly_entangling(index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    ranges = [index % (n_qubits - 1) + 1] if n_qubits > 1 else None
    qp.StronglyEntanglingLayers(weights.reshape(1, n_qubits, 3), wires=range(n_qubits), ranges=ranges)


def _strongly_entangling_ring(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    ranges = [1] if n_qubits > 1 else None
    qp.StronglyEntanglingLayers(weights.reshape(1, n_qubits, 3), wires=range(n_qubits), ranges=ranges)


def _basic_entangler(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    qp.BasicEntanglerLayers(weights.reshape(1, n_qubits), wires=range(n_qubits), rotation=qp.RY)


def _hardware_efficient(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits - 1):
        qp.CZ(wires=[wire, wire + 1])
    for wire in range(n_qubits):
        qp.RZ(weights[2 * wire], wires=wire)
        qp.RY(weights[2 * wire + 1], wires=wire)


def _simplified_two_design(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    pairs = weights[n_qubits:].reshape(1, n_qubits - 1, 2)
    qp.SimplifiedTwoDesign(initial_layer_weights=weights[:n_qubits], weights=pairs, wires=range(n_qubits))


def _qcnn(index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    """A filter on neighbours of the qubits that are left, on a ring if they are even in number, then a pooling that
    leaves every other one: it turns by the sum of two weights or by their difference, as its neighbour says."""
    if n_qubits == 1:
        qp.RY(weights[0], wires=0)
        qp.RX(weights[1], wires=0)
        return
    left = range(0, n_qubits, 2 ** (index % (n_qubits - 1).bit_length()))
    even = [(first, first + left.step) for first in left[:-1:2]]
    odd = [(first, left[(place + 1) % len(left)]) for place, first in enumerate(left) if place % 2]
    for first, second in even + (odd if len(left) > 2 else []):
        qp.RY(weights[0], wires=first)
        qp.RY(weights[1], wires=second)
        qp.IsingZZ(weights[2], wires=[first, second])
        qp.RX(weights[3], wires=first)
        qp.RX(weights[4], wires=second)
    for kept, dropped in even:
        qp.RY(weights[5], wires=kept)
        qp.CNOT(wires=[dropped, kept])
        qp.RY(weights[6], wires=kept)  # behind a flip it turns the other way
        qp.CNOT(wires=[dropped, kept])


def _style(index: int, inputs: Any, _weights: Any, n_qubits: int) -> None:
    _ry_rx_cnot(index, inputs, inputs[2 * n_qubits * index :], n_qubits)


for _ansatz in (
    # The layer of Gunduz 2025, section 2.1, with the CNOT chain closed to a ring: in the open chain the last layer's
    # gates on every qubit but the first never reach <Z_0>.
    Ansatz(name="ry_rx_cnot", layer=_ry_rx_cnot, n_layer_weights=lambda n: 2 * n),
    # The same with the chain open, to the letter.
    Ansatz(name="ry_rx_cnot_chain", layer=_ry_rx_cnot_chain, n_layer_weights=lambda n: 2 * n),
    # Schuld et al., "Circuit-centric quantum classifiers", Phys. Rev. A 101, 032308 (2020).
    Ansatz(name="strongly_entangling", layer=_strongly_entangling, n_layer_weights=lambda n: 3 * n),
    # The same with neighbours entangled in every layer, where the above has wires ever farther apart.
    Ansatz(name="strongly_entangling_ring", layer=_strongly_entangling_ring, n_layer_weights=lambda n: 3 * n),
    # qp.BasicEntanglerLayers with RY, as RX would only add to the embedding's angle.
    Ansatz(name="basic_entangler", layer=_basic_entangler, n_layer_weights=lambda n: n),
    # Kandala et al., "Hardware-efficient variational quantum eigensolver", Nature 549, 242 (2017), on a line of qubits;
    # the entangler comes first, because diagonal gates before a measurement of Z have no effect.
    Ansatz(name="hardware_efficient", layer=_hardware_efficient, n_layer_weights=lambda n: 2 * n),
    # Cerezo et al., "Cost function dependent barren plateaus", Nature Communications 12, 1791 (2021).
    Ansatz(name="simplified_two_design", layer=_simplified_two_design, n_layer_weights=lambda n: n + 2 * (n - 1)),
    # Perez-Salinas et al., "Data re-uploading for a universal quantum classifier", Quantum 4, 226 (2020).
    Ansatz(name="data_reuploading", layer=_strongly_entangling, n_layer_weights=lambda n: 3 * n, reuploads=True),
    # The same layers behind the encoder of Havlicek et al. 2019.
    Ansatz(name="iqp", layer=_strongly_entangling, n_layer_weights=lambda n: 3 * n, encoder="iqp"),
    # Cong, Choi & Lukin, "Quantum convolutional neural networks", Nature Physics 15, 1273 (2019): one filter and one
    # pooling a layer, shared by all pairs. Deviation: a qubit that is pooled is not measured then, but controls which
    # of two rotations its neighbour has, and may still be read at the end; after the last pooling all are there again.
    Ansatz(name="qcnn", layer=_qcnn, n_layer_weights=lambda n: 7 if n > 1 else 2),
    # Bravo-Prieto et al., "Style-based quantum generative adversarial networks", Quantum 6, 777 (2022): every angle is
    # an input, so the noise enters everywhere and the weights are those of the linear map before the circuit.
    Ansatz(name="style", layer=_style, n_layer_weights=lambda _: 0, encoder=NONE, n_layer_inputs=lambda n: 2 * n),
):
    ANSAETZE.register(_ansatz.name)(_ansatz)

"""Ansaetze, each defined once, as PennyLane operations that every engine executes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qp

from qsynth.registry import Registry


@dataclass(frozen=True)
class Ansatz:
    """An embedding of inputs followed by variational layers.

    Attributes:
        embed: quantum function ``(inputs, n_qubits)``; inputs are a flat vector.
        layer: quantum function ``(index, inputs, weights, n_qubits)`` of one layer; its weights are a flat vector.
        n_layer_weights: how many weights a layer on ``n_qubits`` has.
        n_inputs: how many inputs a circuit on ``n_qubits`` with ``n_layers`` has.
    """

    name: str
    embed: Callable[[Any, int], None]
    layer: Callable[[int, Any, Any, int], None]
    n_layer_weights: Callable[[int], int]
    n_inputs: Callable[[int, int], int] = lambda n_qubits, _: n_qubits


ANSAETZE: Registry[Ansatz] = Registry("ansatz")


def angle_embedding(inputs: Any, n_qubits: int) -> None:
    """RX(angle) on every qubit (``qp.AngleEmbedding``)."""
    qp.AngleEmbedding(inputs[:n_qubits], wires=range(n_qubits), rotation="X")


def _iqp_embedding(inputs: Any, n_qubits: int) -> None:
    qp.IQPEmbedding(inputs, wires=range(n_qubits))


def _no_embedding(_inputs: Any, _n_qubits: int) -> None:
    pass


def _ry_rx_cnot(_index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    if n_qubits > 1:
        for wire in range(n_qubits):
            qp.CNOT(wires=[wire, (wire + 1) % n_qubits])


def _strongly_entangling(index: int, _inputs: Any, weights: Any, n_qubits: int) -> None:
    ranges = [index % (n_qubits - 1) + 1] if n_qubits > 1 else None
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


def _data_reuploading(index: int, inputs: Any, weights: Any, n_qubits: int) -> None:
    if index > 0:
        angle_embedding(inputs, n_qubits)
    _strongly_entangling(index, inputs, weights, n_qubits)


def _style(index: int, inputs: Any, _weights: Any, n_qubits: int) -> None:
    _ry_rx_cnot(index, inputs, inputs[2 * n_qubits * index :], n_qubits)


for _ansatz in (
    # The layer of Gunduz 2025, section 2.1, with the CNOT chain closed to a ring: in the open chain the last layer's
    # gates on every qubit but the first never reach <Z_0>.
    Ansatz("ry_rx_cnot", angle_embedding, _ry_rx_cnot, lambda n: 2 * n),
    # Schuld et al., "Circuit-centric quantum classifiers", Phys. Rev. A 101, 032308 (2020).
    Ansatz("strongly_entangling", angle_embedding, _strongly_entangling, lambda n: 3 * n),
    # qp.BasicEntanglerLayers with RY, as RX would only add to the embedding's angle.
    Ansatz("basic_entangler", angle_embedding, _basic_entangler, lambda n: n),
    # Kandala et al., "Hardware-efficient variational quantum eigensolver", Nature 549, 242 (2017), on a line of qubits;
    # the entangler comes first, because diagonal gates before a measurement of Z have no effect.
    Ansatz("hardware_efficient", angle_embedding, _hardware_efficient, lambda n: 2 * n),
    # Cerezo et al., "Cost function dependent barren plateaus", Nature Communications 12, 1791 (2021).
    Ansatz("simplified_two_design", angle_embedding, _simplified_two_design, lambda n: n + 2 * (n - 1)),
    # Perez-Salinas et al., "Data re-uploading for a universal quantum classifier", Quantum 4, 226 (2020).
    Ansatz("data_reuploading", angle_embedding, _data_reuploading, lambda n: 3 * n),
    # Havlicek et al., "Supervised learning with quantum-enhanced feature spaces", Nature 567, 209 (2019).
    Ansatz("iqp", _iqp_embedding, _strongly_entangling, lambda n: 3 * n),
    # Bravo-Prieto et al., "Style-based quantum generative adversarial networks", Quantum 6, 777 (2022): every angle is
    # an input, so the noise enters everywhere and the weights are those of the linear map before the circuit.
    Ansatz("style", _no_embedding, _style, lambda _: 0, lambda n, n_layers: 2 * n * n_layers),
):
    ANSAETZE.register(_ansatz.name)(_ansatz)

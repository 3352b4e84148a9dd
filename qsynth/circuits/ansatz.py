"""Ansaetze, each defined once, as PennyLane operations that every engine executes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qp

from qsynth.registry import Registry


@dataclass(frozen=True)
class Ansatz:
    """An angle embedding followed by variational layers.

    Attributes:
        embed: quantum function ``(angles, n_qubits)`` with ``angles`` of shape ``n_qubits``.
        layer: quantum function ``(index, weights, n_qubits)`` of one layer; its weights are a flat vector.
        n_layer_weights: how many weights a layer on ``n_qubits`` has.
    """

    name: str
    embed: Callable[[Any, int], None]
    layer: Callable[[int, Any, int], None]
    n_layer_weights: Callable[[int], int]


ANSAETZE: Registry[Ansatz] = Registry("ansatz")


def angle_embedding(angles: Any, n_qubits: int) -> None:
    """RX(angle) on every qubit (``qp.AngleEmbedding``)."""
    qp.AngleEmbedding(angles, wires=range(n_qubits), rotation="X")


def _ry_rx_cnot(_index: int, weights: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(weights[2 * wire], wires=wire)
        qp.RX(weights[2 * wire + 1], wires=wire)
    if n_qubits > 1:
        for wire in range(n_qubits):
            qp.CNOT(wires=[wire, (wire + 1) % n_qubits])


def _strongly_entangling(index: int, weights: Any, n_qubits: int) -> None:
    ranges = [index % (n_qubits - 1) + 1] if n_qubits > 1 else None
    qp.StronglyEntanglingLayers(weights.reshape(1, n_qubits, 3), wires=range(n_qubits), ranges=ranges)


ANSAETZE.register("ry_rx_cnot")(
    # The layer of Gunduz 2025, section 2.1, with the CNOT chain closed to a ring: in the open chain the last layer's
    # gates on every qubit but the first never reach <Z_0>.
    Ansatz("ry_rx_cnot", angle_embedding, _ry_rx_cnot, lambda n: 2 * n)
)
ANSAETZE.register("strongly_entangling")(
    # Schuld et al., "Circuit-centric quantum classifiers", Phys. Rev. A 101, 032308 (2020).
    Ansatz("strongly_entangling", angle_embedding, _strongly_entangling, lambda n: 3 * n)
)

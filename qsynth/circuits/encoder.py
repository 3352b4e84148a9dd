"""Encoders, each defined once, as PennyLane operations: how a circuit's inputs become angles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pennylane as qp

from qsynth.registry import Registry

NONE = "none"


@dataclass(frozen=True)
class Encoder:
    """How inputs enter a circuit, at its beginning and wherever an ansatz re-uploads them.

    Attributes:
        encode: quantum function ``(inputs, n_qubits)``; inputs are a flat vector, angles in radians.
        n_inputs: how many inputs it takes on ``n_qubits``.
    """

    name: str
    encode: Callable[[Any, int], None]
    n_inputs: Callable[[int], int] = lambda n_qubits: n_qubits


ENCODERS: Registry[Encoder] = Registry("encoder")


def _angle(rotation: str) -> Callable[[Any, int], None]:
    def encode(inputs: Any, n_qubits: int) -> None:
        qp.AngleEmbedding(inputs, wires=range(n_qubits), rotation=rotation)

    return encode


def _angle_z(inputs: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.Hadamard(wires=wire)
    _angle("Z")(inputs, n_qubits)


def _iqp(inputs: Any, n_qubits: int) -> None:
    qp.IQPEmbedding(inputs, wires=range(n_qubits))


def _dense_angle(inputs: Any, n_qubits: int) -> None:
    for wire in range(n_qubits):
        qp.RY(inputs[2 * wire], wires=wire)
        qp.RZ(inputs[2 * wire + 1], wires=wire)


def _nothing(_inputs: Any, _n_qubits: int) -> None:
    pass


for _encoder in (
    # qp.AngleEmbedding.
    Encoder("angle_x", _angle("X")),
    Encoder("angle_y", _angle("Y")),
    # The same about Z, behind the Hadamard gates without which it would do nothing to |0...0>.
    Encoder("angle_z", _angle_z),
    # Two inputs a qubit: LaRose & Coyle, "Robust data encodings for quantum classifiers", Phys. Rev. A 102, 032420
    # (2020), definition 2, with angles in radians.
    Encoder("dense_angle", _dense_angle, lambda n: 2 * n),
    # qp.IQPEmbedding: Havlicek et al., "Supervised learning with quantum-enhanced feature spaces", Nature 567, 209
    # (2019).
    Encoder("iqp", _iqp),
    # For an ansatz whose layers take the inputs themselves.
    Encoder(NONE, _nothing, lambda _: 0),
):
    ENCODERS.register(_encoder.name)(_encoder)

"""PennyLane quantum functions read once into segments of rotations and fixed gates."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.su2 import AXES
from qsynth.errors import QsynthError

ROTATIONS = tuple(AXES)
FIXED = ("CNOT", "CZ", "SWAP", "Hadamard", "PauliX", "PauliY", "PauliZ", "S", "T")


@dataclass(frozen=True)
class Segment:
    """Rotations on single qubits, then one fixed unitary.

    Attributes:
        axes: depth x qubits x 3, the unit vector about which each rotation turns (zero where a wire has none).
        angles: depth x qubits, the row of the program's angle vector that each rotation takes (-1: none).
        fixed: D x D complex unitary of the gates behind the rotations, D = 2^qubits; None when there are none.
    """

    axes: np.ndarray
    angles: np.ndarray
    fixed: np.ndarray | None


@dataclass(frozen=True)
class Program:
    """A quantum function in the form that the statevector engine executes.

    The rotation angles are affine in the function's parameters: ``offset + jacobian @ parameters``.
    """

    n_qubits: int
    offset: np.ndarray
    jacobian: np.ndarray
    segments: tuple[Segment, ...]


def trace(function: Callable[[Any], None], n_parameters: int, n_qubits: int) -> Program:
    """Read ``function(parameters)``, a quantum function on wires 0..n_qubits-1, into a :class:`Program`.

    Raises:
        QsynthError: an operation does not decompose to rotations and fixed gates, an angle is not affine in the
            parameters, or a wire lies outside.
    """

    def operations(parameters: Tensor) -> list[Any]:
        tape = qp.tape.make_qscript(function)(parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of operations that are refused below
            [decomposed], _ = qp.transforms.decompose(tape, gate_set={*ROTATIONS, *FIXED, "GlobalPhase"})
        return [op for op in decomposed.operations if op.name != "GlobalPhase"]

    def angles(parameters: Tensor) -> Tensor:
        rotations = [op for op in operations(parameters) if op.name in ROTATIONS]
        return torch.stack([torch.as_tensor(op.data[0], dtype=torch.float64) for op in rotations])

    at = torch.linspace(0.1, 0.9, n_parameters, dtype=torch.float64)
    ops = operations(at)
    unknown = sorted({op.name for op in ops} - {*ROTATIONS, *FIXED})
    if unknown:
        raise QsynthError(
            f"a template for the statevector engine must decompose to {', '.join(ROTATIONS + FIXED)}; got {unknown[0]}"
        )
    strange = [wire for op in ops for wire in op.wires if wire not in range(n_qubits)]
    if strange:
        raise QsynthError(f"a template on {n_qubits} qubits must use wires 0..{n_qubits - 1}; got {strange[0]!r}")
    if any(op.name in ROTATIONS for op in ops):
        jacobian = torch.autograd.functional.jacobian(angles, at)
        offset = angles(at) - jacobian @ at
        elsewhere = torch.linspace(1.3, -0.7, n_parameters, dtype=torch.float64)
        if not torch.allclose(offset + jacobian @ elsewhere, angles(elsewhere), atol=1e-9):
            raise QsynthError("a template for the statevector engine must use angles that are affine in its parameters")
    else:
        jacobian, offset = torch.zeros(0, n_parameters), torch.zeros(0)
    return Program(n_qubits, offset.numpy(), jacobian.numpy(), _segments(ops, n_qubits))


def _segments(ops: list[Any], n_qubits: int) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    rotations: list[list[tuple[str, int]]] = [[] for _ in range(n_qubits)]
    fixed: list[Any] = []
    row = 0
    for op in ops:
        if op.name in FIXED:
            fixed.append(op)
            continue
        if fixed:
            segments.append(_segment(rotations, fixed, n_qubits))
            rotations, fixed = [[] for _ in range(n_qubits)], []
        rotations[op.wires[0]].append((op.name, row))
        row += 1
    segments.append(_segment(rotations, fixed, n_qubits))
    return tuple(segments)


def _segment(rotations: list[list[tuple[str, int]]], fixed: list[Any], n_qubits: int) -> Segment:
    depth = max(len(wire) for wire in rotations)
    axes = np.zeros((depth, n_qubits, 3))
    angles = np.full((depth, n_qubits), -1)
    for wire, sequence in enumerate(rotations):
        for position, (name, row) in enumerate(sequence):
            axes[position, wire] = AXES[name]
            angles[position, wire] = row
    unitary = None
    if fixed:
        unitary = np.eye(2**n_qubits, dtype=complex)
        for op in fixed:
            unitary = qp.matrix(op, wire_order=range(n_qubits)) @ unitary
    return Segment(axes, angles, unitary)

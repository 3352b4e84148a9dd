"""PennyLane quantum functions read once into steps that the statevector engine executes."""

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.su2 import AXES, CONSTANT
from qsynth.errors import CircuitError

PERMUTATIONS = ("CNOT", "CZ", "SWAP", "Toffoli", "CCZ", "CSWAP")
DIAGONALS = ("IsingZZ", "MultiRZ")
GATES = (*AXES, *CONSTANT, *DIAGONALS, *PERMUTATIONS)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Rotations:
    """Rotations of single qubits, up to ``depth`` one after the other on each.

    Attributes:
        axes: depth x qubits x 3, the unit vector about which each rotation turns (zero where a wire has none).
        angles: depth x qubits, the row of the program's angle vector that each rotation takes (-1: none).
    """

    axes: np.ndarray
    angles: np.ndarray


@dataclass(frozen=True)
class Diagonals:
    """Rotations exp(-i t/2 Z...Z) of several qubits, which commute.

    Attributes:
        signs: gates x D, the eigenvalue of each gate's Pauli string in each basis state.
        angles: gates, the row of the program's angle vector that each takes.
    """

    signs: np.ndarray
    angles: np.ndarray

    def and_also(self, other: "Diagonals") -> "Diagonals":
        """Both."""
        return Diagonals(np.concatenate([self.signs, other.signs]), np.concatenate([self.angles, other.angles]))


@dataclass(frozen=True)
class Permutation:
    """Gates without parameters that permute basis states and may change their signs (CNOT, CZ, SWAP, Toffoli, ...).

    Attributes:
        order: D = 2^qubits; the new amplitude i is the old one number ``order[i]``,
        signs: D; times ``signs[i]``.
    """

    order: np.ndarray
    signs: np.ndarray

    def after(self, first: "Permutation") -> "Permutation":
        """Both, ``first`` first."""
        return Permutation(first.order[self.order], self.signs * first.signs[self.order])


CircuitStep = Rotations | Diagonals | Permutation


@dataclass(frozen=True, kw_only=True)
class CircuitProgram:
    """A quantum function of inputs and weights, up to a global phase.

    Its angles are polynomials of p = (inputs, weights): ``offset + jacobian @ p + quadratic @ (p[i] * p[j])``, where
    (i, j) are the rows of ``pairs``.
    """

    n_qubits: int
    n_inputs: int
    offset: np.ndarray
    jacobian: np.ndarray
    pairs: np.ndarray
    quadratic: np.ndarray
    steps: tuple[CircuitStep, ...]


def trace(function: Callable[[Any, Any], None], n_inputs: int, n_weights: int, n_qubits: int) -> CircuitProgram:
    """Read ``function(inputs, weights)``, a quantum function on wires 0..n_qubits-1, into a :class:`CircuitProgram`.

    Raises:
        QsynthError: an operation does not decompose to the engine's gates, or to other ones for other values; an angle
            is no polynomial of second degree in inputs and weights; or a wire lies outside.
    """
    with torch.device("cpu"):  # PennyLane's numbers are there, wherever the program is executed
        return _traced(function, n_inputs, n_weights, n_qubits)


def _traced(function: Callable[[Any, Any], None], n_inputs: int, n_weights: int, n_qubits: int) -> CircuitProgram:
    def template(p: Tensor) -> list[Any]:
        return list(qp.tape.make_qscript(function)(p[:n_inputs], p[n_inputs:]).operations)

    def read(p: Tensor) -> list[Any]:
        now = template(p)
        gates = _decomposed(now)
        if _names(gates) != _names(ops):
            pairs = zip(template(at), now, strict=False)
            changed = [op.name for op, other in pairs if _names(_decomposed([op])) != _names(_decomposed([other]))]
            raise CircuitError(
                "a template for the statevector engine must decompose to the same gates whatever the values of inputs "
                f"and weights; got others for {changed[0] if changed else 'other values'}"
            )
        return gates

    def turns(op: Any) -> bool:
        return op.name not in PERMUTATIONS

    def angles(gates: list[Any]) -> Tensor:
        found = [CONSTANT[op.name][1] if op.name in CONSTANT else op.data[0] for op in gates if turns(op)]
        return torch.stack([torch.as_tensor(angle, dtype=torch.float64) for angle in found])

    def made(offset: np.ndarray, jacobian: np.ndarray, pairs: np.ndarray, quadratic: np.ndarray) -> CircuitProgram:
        return CircuitProgram(
            n_qubits=n_qubits,
            n_inputs=n_inputs,
            offset=offset,
            jacobian=jacobian,
            pairs=pairs,
            quadratic=quadratic,
            steps=_steps(ops, n_qubits),
        )

    n = n_inputs + n_weights
    at = torch.linspace(0.1, 0.9, n, dtype=torch.float64)
    ops = _decomposed(template(at))
    unknown = sorted({op.name for op in ops} - set(GATES))
    if unknown:
        raise CircuitError(
            f"a template for the statevector engine must decompose to {', '.join(GATES)}; got {unknown[0]}"
        )
    strange = [wire for op in ops for wire in op.wires if wire not in range(n_qubits)]
    if strange:
        raise CircuitError(f"a template on {n_qubits} qubits must use wires 0..{n_qubits - 1}; got {strange[0]!r}")
    point = 3 * torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    elsewhere = torch.stack([point, -point])  # every number with both signs
    others = [read(each) for each in elsewhere]
    if not any(turns(op) for op in ops):
        nothing = np.zeros(0), np.zeros((0, n)), np.zeros((0, 2), dtype=int), np.zeros((0, 0))
        return made(*nothing)
    wanted, names = torch.stack([angles(gates) for gates in others]), _names(filter(turns, ops))
    polynomial = _polynomial(lambda p: angles(read(p)), at, angles(ops), elsewhere, wanted, names)
    return made(*polynomial)


def _decomposed(operations: list[Any]) -> list[Any]:
    """The engine's gates that operations stand for, and what has no decomposition; without global phases."""
    gate_set = {*GATES, "GlobalPhase"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of operations that are refused afterwards
            [decomposed], _ = qp.transforms.decompose(qp.tape.QuantumScript(operations), gate_set=gate_set)
    except Exception as error:  # an operation's own decomposition may raise anything
        if len(operations) > 1:
            return [gate for operation in operations for gate in _decomposed([operation])]
        reason = " ".join(str(error).split())
        raise CircuitError(
            f"a template for the statevector engine must decompose; got {operations[0].name}, which raises {reason}"
        ) from None
    return [op for op in decomposed.operations if op.name != "GlobalPhase"]


def _names(ops: Iterable[Any]) -> list[str]:
    return [f"{op.name} on wires {', '.join(map(str, op.wires))}" for op in ops]


def _polynomial(
    angles: Callable[[Tensor], Tensor], at: Tensor, values: Tensor, elsewhere: Tensor, wanted: Tensor, names: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """``angles`` as offset, jacobian, pairs and quadratic coefficients.

    They are ``values`` at the point ``at``, about which they are taken, and ``wanted`` at the points ``elsewhere``,
    where they are checked; ``names`` says whose they are.
    """
    n = len(at)

    def slopes(p: Tensor) -> Tensor:
        found: Any = torch.autograd.functional.jacobian(angles, p, vectorize=True)
        return found.reshape(len(values), n)  # type: ignore[no-any-return]

    def fits(predicted: Tensor) -> Tensor:
        # A whole turn is a global phase of -1; decompositions take some angles modulo it.
        turns = (predicted - wanted) / (2 * math.pi)
        return ((turns - turns.round()).abs() < TOLERANCE).all(dim=0)

    jacobian = slopes(at)
    offset = values - jacobian @ at
    pairs, quadratic = np.zeros((0, 2), dtype=int), np.zeros((len(values), 0))
    if not fits(offset + elsewhere @ jacobian.T).all():
        # The exact slopes of a polynomial of second degree are affine, so their differences are its second derivatives.
        second = torch.stack([slopes(at + unit) - jacobian for unit in torch.eye(n, dtype=torch.float64)], dim=-1)
        jacobian = jacobian - second @ at
        offset = values - jacobian @ at - 0.5 * (second @ at) @ at
        curved = 0.5 * torch.einsum("rij,pi,pj->pr", second, elsewhere, elsewhere)
        good = fits(offset + elsewhere @ jacobian.T + curved)
        if not good.all():
            raise CircuitError(
                "a template for the statevector engine must use angles that are polynomials of at most second degree "
                f"in inputs and weights; got another one in {names[int(good.int().argmin())]}"
            )
        rows, columns = np.nonzero(np.triu(second.abs().amax(dim=0).numpy() > TOLERANCE))
        pairs = np.stack([rows, columns], axis=1)
        quadratic = second[:, rows, columns].numpy() * np.where(rows == columns, 0.5, 1.0)
    return offset.numpy(), jacobian.numpy(), pairs, quadratic


def _steps(ops: list[Any], n_qubits: int) -> tuple[CircuitStep, ...]:
    """As few steps as the order of the gates on each wire allows; gates on different wires commute."""
    steps: list[CircuitStep] = []
    waiting: list[list[tuple[str, int]]] = [[] for _ in range(n_qubits)]
    row = 0

    def flush() -> None:
        if any(waiting):
            steps.append(_rotations(waiting))
            for wire in waiting:
                wire.clear()

    for op in ops:
        if op.name in AXES or op.name in CONSTANT:
            waiting[op.wires[0]].append((op.name, row))
            row += 1
            continue
        if any(waiting[wire] for wire in op.wires):
            flush()
        last = steps[-1] if steps else None
        if op.name in DIAGONALS:
            diagonals = Diagonals(_eigenvalues(op, n_qubits)[None], np.array([row]))
            row += 1
            if isinstance(last, Diagonals):
                steps[-1] = last.and_also(diagonals)
            else:
                steps.append(diagonals)
        else:
            permutation = _permutation(op, n_qubits)
            if isinstance(last, Permutation):
                steps[-1] = permutation.after(last)
            else:
                steps.append(permutation)
    flush()
    return tuple(steps)


def _eigenvalues(op: Any, n_qubits: int) -> np.ndarray:
    """Of Z...Z on the operation's wires, in each basis state."""
    states = np.arange(2**n_qubits)
    flips = sum((states >> (n_qubits - 1 - wire)) & 1 for wire in op.wires)
    return np.asarray(1.0 - 2.0 * (flips % 2))


def _rotations(wires: list[list[tuple[str, int]]]) -> Rotations:
    depth = max(len(wire) for wire in wires)
    axes = np.zeros((depth, len(wires), 3))
    angles = np.full((depth, len(wires)), -1)
    for wire, sequence in enumerate(wires):
        for position, (name, row) in enumerate(sequence):
            axes[position, wire] = AXES[name] if name in AXES else CONSTANT[name][0]
            angles[position, wire] = row
    return Rotations(axes, angles)


def _permutation(op: Any, n_qubits: int) -> Permutation:
    """The operation on all basis states, from its matrix on its own wires."""
    small = np.asarray(qp.matrix(op)).real
    target, sign = np.abs(small).argmax(axis=0), small.sum(axis=0)
    shifts = [n_qubits - 1 - wire for wire in op.wires]
    states = np.arange(2**n_qubits)
    local, elsewhere = np.zeros_like(states), states.copy()
    for shift in shifts:
        local = 2 * local + ((states >> shift) & 1)
        elsewhere &= ~(1 << shift)
    moved = elsewhere
    for position, shift in enumerate(reversed(shifts)):
        moved = moved | (((target[local] >> position) & 1) << shift)
    order, signs = np.empty_like(states), np.empty(len(states))
    order[moved], signs[moved] = states, sign[local]
    return Permutation(order, signs)

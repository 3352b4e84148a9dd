"""The batched statevector engine: real arithmetic, one unitary per update, any number of lanes.

Variational layers do not depend on the sample, so their 2^n x 2^n unitary is built once and applied to the whole batch
as one matrix product. torch.compile generates no code for complex tensors, so a complex matrix A is the real one
[[re A, -im A], [im A, re A]] and a state its real, then its imaginary amplitudes. Everything here is a pure function of
one trial; ``torch.func.vmap`` makes the lanes. Operations are few and on all wires or layers at once, because the time
to compile them, forwards and backwards, grows with their number.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.program import Program, Segment, trace
from qsynth.circuits.su2 import PRODUCT, TO_MATRIX
from qsynth.errors import QsynthError

Factors = tuple[Tensor, ...]
MAX_QUBITS = 7


def statevector_bytes(n_qubits: int) -> int:
    """Memory of one state of ``n_qubits`` in complex128: 16 * 2^n bytes."""
    return 16 << n_qubits


def check_size(n_qubits: int) -> None:
    """Refuse what this engine can't hold.

    Raises:
        QsynthError: more qubits than the engine takes; the message has the memory estimate.
    """
    if n_qubits > MAX_QUBITS:
        state, unitary = statevector_bytes(n_qubits), statevector_bytes(2 * n_qubits)
        raise QsynthError(
            f"n_qubits must be at most {MAX_QUBITS} on the statevector engine; got {n_qubits}, whose state takes "
            f"{human_bytes(state)} and one layer's unitary {human_bytes(unitary)}"
        )


def human_bytes(size: float) -> str:
    """``size`` with a binary unit, e.g. ``'16 TiB'``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} YiB"


class StatevectorEngine:
    """Executes an :class:`Ansatz` and measures Pauli-Z on every qubit.

    Raises:
        QsynthError: too many qubits, or an ansatz whose embedding entangles.
    """

    name = "statevector"

    def __init__(self, ansatz: Ansatz, n_qubits: int, n_layers: int, dtype: torch.dtype = torch.float32) -> None:
        check_size(n_qubits)
        self.n_qubits, self.n_layers, self.dtype = n_qubits, n_layers, dtype
        self.n_layer_weights = ansatz.n_layer_weights(n_qubits)
        embedding = trace(lambda a: ansatz.embed(a, n_qubits), n_qubits, n_qubits)
        if len(embedding.segments) != 1 or embedding.segments[0].fixed is not None:
            raise QsynthError(f"the embedding of ansatz {ansatz.name!r} must not entangle on the statevector engine")
        self._embedding = _Embedding(embedding, dtype)
        groups: dict[bytes, _LayerGroup] = {}
        for index in range(n_layers):
            program = trace(lambda w, i=index: ansatz.layer(i, w, n_qubits), self.n_layer_weights, n_qubits)  # type: ignore[misc]
            groups.setdefault(_rotation_key(program), _LayerGroup(program, dtype)).add(index, program)
        self._groups = list(groups.values())
        states = np.arange(2**n_qubits)
        signs = np.stack([1.0 - 2.0 * ((states >> (n_qubits - 1 - wire)) & 1) for wire in range(n_qubits)], axis=1)
        self._signs = torch.tensor(np.concatenate([signs, signs]), dtype=dtype)

    def expectations(self, angles: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """<Z> of every qubit.

        Args:
            angles: batch x qubits, embedding angles in radians.
            weights: layers x weights per layer, in radians.
            layer_mask: layers; 1 applies a layer, 0 leaves the state as it is.

        Returns:
            batch x qubits, in [-1, 1].
        """
        final = self._embedding.rows(angles) @ self._applied(self._embedding.columns, weights, layer_mask).T
        return (final * final) @ self._signs

    def unitary(self, weights: Tensor, layer_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary part of the D x D unitary of all active layers, D = 2^qubits."""
        size = 2**self.n_qubits
        applied = self._applied(torch.eye(2 * size, size, dtype=self.dtype), weights, layer_mask)
        return applied[:size], applied[size:]

    def _applied(self, columns: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """All active layers applied to states, the columns of a 2D x any matrix."""
        steps: dict[int, list[_Step]] = {}
        for group in self._groups:
            steps |= group.steps(weights if len(self._groups) == 1 else weights[group.members])
        for index, on in enumerate(layer_mask.unbind()):
            after = columns
            for unitary, fixed in steps[index]:
                after = fixed(unitary @ after)
            columns = torch.lerp(columns.expand_as(after), after, on)
        return columns


class _Fixed:
    """A unitary without parameters, applied to the rows of a 2D x any matrix."""

    def __init__(self, unitary: np.ndarray | None, dtype: torch.dtype) -> None:
        self.order: tuple[Tensor, Tensor] | None = None
        self.matrix: Tensor | None = None
        if unitary is not None:
            order = unitary.real.argmax(axis=1)
            if np.array_equal(unitary, np.eye(len(unitary))[order]):
                both = np.concatenate([order, order + len(order)])
                self.order = torch.tensor(both), torch.tensor(np.argsort(both))
            else:
                self.matrix = torch.tensor(
                    np.block([[unitary.real, -unitary.imag], [unitary.imag, unitary.real]]), dtype=dtype
                )

    def __call__(self, states: Tensor) -> Tensor:
        if self.order is not None:
            return _Reorder.apply(states, *self.order)  # type: ignore[no-any-return, no-untyped-call]
        return states if self.matrix is None else self.matrix @ states


class _Reorder(torch.autograd.Function):
    """Rows in another order. The gradient is a gather too, where autograd's own would scatter."""

    generate_vmap_rule = True

    @staticmethod
    def forward(rows: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        return rows[order]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        order, inverse = ctx.saved_tensors
        return _Reorder.apply(gradient, inverse, order), None, None  # type: ignore[no-untyped-call]


_Step = tuple[Tensor, _Fixed]


class _LayerGroup:
    """Layers with the same rotations, whose unitaries are built in one tensor expression; fixed gates may differ."""

    def __init__(self, program: Program, dtype: torch.dtype) -> None:
        self.members: list[int] = []
        self._rotations = [_Rotations(program, segment, dtype) for segment in program.segments]
        self._fixed: list[list[_Fixed]] = []
        self._dtype = dtype

    def add(self, index: int, program: Program) -> None:
        """Make layer ``index``, executed by ``program``, a member."""
        self.members.append(index)
        self._fixed.append([_Fixed(segment.fixed, self._dtype) for segment in program.segments])

    def steps(self, weights: Tensor) -> dict[int, list[_Step]]:
        """Layer -> its segments' rotations (2D x 2D) and fixed gates, for the members' ``weights``."""
        unitaries = [_embedded(*_kron(rotations.matrices(weights))).unbind() for rotations in self._rotations]
        return {
            layer: [(unitary[position], fixed) for unitary, fixed in zip(unitaries, self._fixed[position], strict=True)]
            for position, layer in enumerate(self.members)
        }


class _Embedding:
    """Rotations of |0...0> as ``columns @ row``, with one real row for each sample and constant columns.

    A single RX or RY on each wire makes amplitudes cos or sin times constant phases; then a row has D numbers, and the
    columns hold the phases. Otherwise a row holds the 2D real and imaginary amplitudes.
    """

    def __init__(self, program: Program, dtype: torch.dtype) -> None:
        [segment] = program.segments
        size = 2**program.n_qubits
        self._rotations = _Rotations(program, segment, dtype)
        self._is_real = segment.axes.shape[0] == 1 and bool((segment.axes[0, :, 2] == 0).all())
        if self._is_real:
            phases = np.ones(1)
            for x, y, _ in segment.axes[0]:
                phases = np.kron(phases, [1.0, y - 1j * x])
            columns = np.concatenate([np.diag(phases.real), np.diag(phases.imag)])
        else:
            columns = np.eye(2 * size)
        self.columns = torch.tensor(columns, dtype=dtype)

    def rows(self, parameters: Tensor) -> Tensor:
        """Batch x D or 2D, of parameters (batch x parameters)."""
        if self._is_real:
            half = self._rotations.halves(parameters).squeeze(-2)
            [row] = _kron((torch.stack([torch.cos(half), torch.sin(half)], dim=-1).unsqueeze(-1),))
            return row.squeeze(-1)
        first_columns = tuple(part[..., :1] for part in self._rotations.matrices(parameters))
        return torch.cat(_kron(first_columns), dim=-2).squeeze(-1)


class _Rotations:
    """One segment's rotations on all wires, of a program's parameters (... x parameters)."""

    def __init__(self, program: Program, segment: Segment, dtype: torch.dtype) -> None:
        self.depth, self.n_qubits = segment.angles.shape
        # Half angles of all places, depth by depth, are affine in the parameters; 0 at places without a rotation.
        places = segment.angles.ravel()
        present = (places >= 0)[:, None]
        self.jacobian = torch.tensor(np.where(present, 0.5 * program.jacobian[places], 0.0).T, dtype=dtype)
        self.offset: Tensor | None = None
        if program.offset.any():
            self.offset = torch.tensor(np.where(present[:, 0], 0.5 * program.offset[places], 0.0), dtype=dtype)
        self.axes = torch.tensor(segment.axes, dtype=dtype)
        self.product = torch.tensor(PRODUCT, dtype=dtype)
        self.to_matrix = torch.tensor(TO_MATRIX, dtype=dtype)

    def halves(self, parameters: Tensor) -> Tensor:
        """Half angles, ... x depth x wires."""
        flat = parameters @ self.jacobian
        flat = flat if self.offset is None else flat + self.offset
        return flat.unflatten(-1, (self.depth, self.n_qubits))  # type: ignore[no-any-return]

    def matrices(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary part of every wire's product of rotations, ... x wires x 2 x 2."""
        if self.depth == 0:
            identity = torch.eye(2, dtype=parameters.dtype).expand(*parameters.shape[:-1], self.n_qubits, 2, 2)
            return identity, torch.zeros_like(identity)
        half = self.halves(parameters)[..., None]
        rotations = torch.cat([torch.cos(half), torch.sin(half) * self.axes], dim=-1).unbind(-3)
        total = rotations[0]
        for rotation in rotations[1:]:
            total = (rotation[..., :, None] * total[..., None, :]).flatten(-2) @ self.product
        re, im = (total @ self.to_matrix).unflatten(-1, (2, 2, 2)).unbind(-3)
        return re, im


def _embedded(re: Tensor, im: Tensor) -> Tensor:
    """[[re, -im], [im, re]] of ... x D x D parts."""
    return torch.cat([torch.cat([re, -im], dim=-1), torch.cat([im, re], dim=-1)], dim=-2)


def _kron(factors: Factors) -> Factors:
    """Kronecker product over wires, ... x wires x r x c to ... x r^wires x c^wires; wire 0 is most significant.

    ``factors`` are a real tensor, or real and imaginary parts. Neighbours are multiplied first, all pairs at once.
    """
    n_wires = factors[0].shape[-3]
    if n_wires == 1:
        return tuple(part.squeeze(-3) for part in factors)
    if n_wires % 2:
        heads, tails = zip(*(part.split([1, n_wires - 1], dim=-3) for part in factors), strict=True)
        return _outer(tuple(head.squeeze(-3) for head in heads), _kron(tails))
    pairs: Any = (part.unflatten(-3, (n_wires // 2, 2)).unbind(-3) for part in factors)
    left, right = zip(*pairs, strict=True)
    return _kron(_outer(left, right))


def _outer(a: Factors, b: Factors) -> Factors:
    """Kronecker product of two matrices, real or complex."""

    def times(x: Tensor, y: Tensor) -> Tensor:
        shape = (*x.shape[:-2], x.shape[-2] * y.shape[-2], x.shape[-1] * y.shape[-1])
        return (x[..., :, None, :, None] * y[..., None, :, None, :]).reshape(shape)

    if len(a) == 1:
        return (times(a[0], b[0]),)
    return times(a[0], b[0]) - times(a[1], b[1]), times(a[0], b[1]) + times(a[1], b[0])


def _rotation_key(program: Program) -> bytes:
    """Equal for programs that differ in their fixed gates at most."""
    parts = [program.offset.tobytes(), program.jacobian.tobytes()]
    for segment in program.segments:
        parts += [segment.axes.tobytes(), segment.angles.tobytes()]
    return b"|".join(parts)

"""The batched statevector engine: real arithmetic, one unitary per update, any number of lanes.

Variational layers do not depend on the sample, so their 2^n x 2^n unitary is built once and applied to the whole batch
as one matrix product. Real and imaginary parts are separate real tensors, because torch.compile generates no code for
complex ones. Everything here is a pure function of one trial; ``torch.func.vmap`` makes the lanes.
"""

import numpy as np
import torch
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.program import Program, trace
from qsynth.errors import QsynthError

Complex = tuple[Tensor, Tensor]
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
        self._embedding = _Compiled(trace(lambda a: ansatz.embed(a, n_qubits), n_qubits, n_qubits), dtype)
        if not self._embedding.is_product:
            raise QsynthError(f"the embedding of ansatz {ansatz.name!r} must not entangle on the statevector engine")
        traced: dict[str, _Compiled] = {}
        self._layers: list[_Compiled] = []
        for index in range(n_layers):
            program = trace(lambda w, i=index: ansatz.layer(i, w, n_qubits), self.n_layer_weights, n_qubits)  # type: ignore[misc]
            self._layers.append(traced.setdefault(_fingerprint(program), _Compiled(program, dtype)))
        states = np.arange(2**n_qubits)
        signs = [1.0 - 2.0 * ((states >> (n_qubits - 1 - wire)) & 1) for wire in range(n_qubits)]
        self._signs = torch.tensor(np.stack(signs, axis=1), dtype=dtype)

    def expectations(self, angles: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """<Z> of every qubit.

        Args:
            angles: batch x qubits, embedding angles in radians.
            weights: layers x weights per layer, in radians.
            layer_mask: layers; 1 applies a layer, 0 leaves the state as it is.

        Returns:
            batch x qubits, in [-1, 1].
        """
        re, im = self._embedding.product_state(angles)
        u_re, u_im = self.unitary(weights, layer_mask)
        out_re = re @ u_re.T - im @ u_im.T
        out_im = re @ u_im.T + im @ u_re.T
        return (out_re * out_re + out_im * out_im) @ self._signs

    def unitary(self, weights: Tensor, layer_mask: Tensor) -> Complex:
        """Real and imaginary part of the D x D unitary of all active layers, D = 2^qubits."""
        identity = torch.eye(2**self.n_qubits, dtype=self.dtype)
        layers = self._layer_unitaries(weights)
        product: Complex | None = None
        for index, (re, im) in enumerate(layers):
            on = layer_mask[index]
            masked = identity + on * (re - identity), on * im
            product = masked if product is None else _multiply(masked, product)
        return product if product is not None else (identity, torch.zeros_like(identity))

    def _layer_unitaries(self, weights: Tensor) -> list[Complex]:
        """One unitary a layer; layers of the same structure are built in one tensor expression."""
        unitaries: dict[int, Complex] = {}
        for program in dict.fromkeys(self._layers):
            members = [index for index, layer in enumerate(self._layers) if layer is program]
            chosen = weights if len(members) == self.n_layers else weights[members]
            re, im = program.unitary(chosen)
            unitaries |= {index: (re[position], im[position]) for position, index in enumerate(members)}
        return [unitaries[index] for index in range(self.n_layers)]


class _Compiled:
    """A program's constants as tensors, and its execution."""

    def __init__(self, program: Program, dtype: torch.dtype) -> None:
        self.n_qubits, self.dtype = program.n_qubits, dtype
        self.offset = torch.tensor(program.offset, dtype=dtype)
        self.jacobian = torch.tensor(program.jacobian, dtype=dtype)
        self.selects = bool((program.offset == 0).all() and _is_identity(program.jacobian))
        self.segments = [_CompiledSegment(s.paulis, s.angles, s.fixed, dtype) for s in program.segments]
        self.is_product = len(self.segments) == 1 and program.segments[0].fixed is None

    def angles(self, parameters: Tensor) -> Tensor:
        """Rotation angles (... x rotations) of parameters (... x parameters)."""
        return parameters if self.selects else parameters @ self.jacobian.T + self.offset

    def product_state(self, parameters: Tensor) -> Complex:
        """Amplitudes (batch x D) of the rotations applied to |0...0>."""
        re, im = self.segments[0].matrices(self.angles(parameters))
        return _kron([(re[..., wire, :, 0], im[..., wire, :, 0]) for wire in range(self.n_qubits)], rank=1)

    def unitary(self, parameters: Tensor) -> Complex:
        """Unitaries (... x D x D) of parameters (... x parameters)."""
        angles = self.angles(parameters)
        product: Complex | None = None
        for segment in self.segments:
            re, im = segment.matrices(angles)
            local = _kron([(re[..., wire, :, :], im[..., wire, :, :]) for wire in range(self.n_qubits)], rank=2)
            local = segment.apply_fixed(local)
            product = local if product is None else _multiply(local, product)
        assert product is not None
        return product


class _CompiledSegment:
    def __init__(self, paulis: np.ndarray, angles: np.ndarray, fixed: np.ndarray | None, dtype: torch.dtype) -> None:
        self.pauli_re = torch.tensor(paulis.real, dtype=dtype)
        self.pauli_im = torch.tensor(paulis.imag, dtype=dtype)
        self.present = torch.tensor(angles >= 0, dtype=dtype)
        self.rows = torch.tensor(np.maximum(angles, 0).ravel())
        self.shape = angles.shape
        self.permutation: Tensor | None = None
        self.fixed: Complex | None = None
        if fixed is not None:
            if np.array_equal(fixed, np.eye(len(fixed))[fixed.real.argmax(axis=1)]):
                self.permutation = torch.tensor(fixed.real.argmax(axis=1))
            else:
                self.fixed = torch.tensor(fixed.real, dtype=dtype), torch.tensor(fixed.imag, dtype=dtype)

    def matrices(self, angles: Tensor) -> Complex:
        """exp(-i angle/2 Pauli), multiplied along the depth: ... x qubits x 2 x 2."""
        depth, n_qubits = self.shape
        identity = torch.eye(2, dtype=angles.dtype)
        if depth == 0:
            shape = (*angles.shape[:-1], n_qubits, 2, 2)
            return identity.expand(shape), torch.zeros(shape, dtype=angles.dtype)
        half = 0.5 * angles[..., self.rows].reshape(*angles.shape[:-1], *self.shape) * self.present
        cosine, sine = torch.cos(half)[..., None, None], torch.sin(half)[..., None, None]
        re, im = cosine * identity + sine * self.pauli_im, -sine * self.pauli_re
        product = re[..., 0, :, :, :], im[..., 0, :, :, :]
        for position in range(1, depth):
            product = _multiply_2x2((re[..., position, :, :, :], im[..., position, :, :, :]), product)
        return product

    def apply_fixed(self, matrix: Complex) -> Complex:
        if self.permutation is not None:
            return matrix[0][..., self.permutation, :], matrix[1][..., self.permutation, :]
        return matrix if self.fixed is None else _multiply(self.fixed, matrix)


def _multiply(a: Complex, b: Complex) -> Complex:
    return a[0] @ b[0] - a[1] @ b[1], a[0] @ b[1] + a[1] @ b[0]


def _multiply_2x2(a: Complex, b: Complex) -> Complex:
    """As :func:`_multiply`, element by element, which a compiler fuses better than many tiny matrix products."""

    def times(x: Tensor, y: Tensor) -> Tensor:
        return x[..., :, 0:1] * y[..., 0:1, :] + x[..., :, 1:2] * y[..., 1:2, :]

    return times(a[0], b[0]) - times(a[1], b[1]), times(a[0], b[1]) + times(a[1], b[0])


def _kron(factors: list[Complex], rank: int) -> Complex:
    """Kronecker product over wires of vectors (rank 1) or matrices (rank 2); wire 0 is the most significant bit."""
    re, im = factors[0]
    for next_re, next_im in factors[1:]:
        re, im = (
            _outer(re, next_re, rank) - _outer(im, next_im, rank),
            _outer(re, next_im, rank) + _outer(im, next_re, rank),
        )
    return re, im


def _outer(a: Tensor, b: Tensor, rank: int) -> Tensor:
    if rank == 1:
        return (a[..., :, None] * b[..., None, :]).reshape(*a.shape[:-1], -1)
    size = a.shape[-1] * b.shape[-1]
    return (a[..., :, None, :, None] * b[..., None, :, None, :]).reshape(*a.shape[:-2], size, size)


def _is_identity(matrix: np.ndarray) -> bool:
    return matrix.shape[0] == matrix.shape[1] and bool(np.array_equal(matrix, np.eye(len(matrix))))


def _fingerprint(program: Program) -> str:
    parts = [program.offset.tobytes(), program.jacobian.tobytes()]
    for segment in program.segments:
        fixed = b"" if segment.fixed is None else segment.fixed.tobytes()
        parts += [segment.paulis.tobytes(), segment.angles.tobytes(), fixed]
    return b"|".join(parts).hex()

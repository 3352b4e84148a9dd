"""Steps of a program as operations on states: rows of an any x 2D matrix, real before imaginary amplitudes.

Steps that are the same for all samples keep the matrix transposed in memory, so that one amplitude of all samples is
one contiguous run: amplitudes then change places as whole runs, and a group of wires becomes the first axis, ready for
one real matrix product that does complex numbers too, at the cost of copying runs.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qsynth.circuits.program import CircuitProgram, Diagonals, Permutation, Rotations
from qsynth.circuits.su2 import PRODUCT, TO_MATRIX

Factors = tuple[Tensor, ...]
GateStep = Callable[[Tensor], Tensor]
UNITARY_QUBITS = 7  # up to here rotations of all wires are one matrix; beyond, matrices on groups of wires
GROUP = 5
SAMPLE_GROUP = 3  # smaller, because these matrices are built for every sample


class PermutationGate:
    """Basis states in another order, some with another sign.

    Args:
        permutations: of a layer; of several layers, their states stand side by side (any x layers 2D).
    """

    def __init__(self, permutations: Sequence[Permutation], dtype: torch.dtype) -> None:
        halves = [(each, half) for each in permutations for half in range(2)]
        size = len(permutations[0].order)
        order = np.concatenate([each.order + size * place for place, (each, _) in enumerate(halves)])
        signs = np.concatenate([each.signs for each, _ in halves])
        self._order = torch.tensor(order), torch.tensor(np.argsort(order))
        self._moves = bool((order != np.arange(len(order))).any())
        self._signs = torch.tensor(signs, dtype=dtype) if (signs < 0).any() else None

    def __call__(self, states: Tensor) -> Tensor:
        moved = reordered(states, *self._order) if self._moves else states
        return moved if self._signs is None else (moved.T * self._signs[:, None]).T


class _Reorder(torch.autograd.Function):
    """Columns in another order. The gradient is a gather too, where autograd's own would scatter."""

    generate_vmap_rule = True

    @staticmethod
    def forward(states: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        return states.T[order].T

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        order, inverse = ctx.saved_tensors
        return _Reorder.apply(gradient, inverse, order), None, None  # type: ignore[no-untyped-call]


def reordered(states: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
    """``states[:, order]``, given the inverse permutation as well."""
    return _Reorder.apply(states, order, inverse)  # type: ignore[no-any-return, no-untyped-call]


class HalfAngles:
    """Half of some of a program's angles, as polynomials of their parameters.

    Those are a layer's weights where the angles depend on nothing else (``is_shared``), or else (inputs, weights).

    Args:
        rows: which angles; -1 stands for an angle of 0.
    """

    def __init__(self, program: CircuitProgram, rows: np.ndarray, dtype: torch.dtype) -> None:
        half = np.where(rows >= 0, 0.5, 0.0)[:, None]
        jacobian, quadratic = half * program.jacobian[rows], half * program.quadratic[rows]
        used = quadratic.any(axis=0)
        pairs, quadratic = program.pairs[used], quadratic[:, used]
        self.is_shared = not jacobian[:, : program.n_inputs].any() and not (pairs < program.n_inputs).any()
        if self.is_shared:
            jacobian, pairs = jacobian[:, program.n_inputs :], pairs - program.n_inputs
        self._jacobian = torch.tensor(jacobian.T, dtype=dtype)
        chosen = np.eye(jacobian.shape[1])
        self._pairs = [torch.tensor(chosen[:, column], dtype=dtype) for column in pairs.T] if used.any() else []
        self._quadratic = torch.tensor(quadratic.T, dtype=dtype)
        offset = half[:, 0] * program.offset[rows]
        self._offset = torch.tensor(offset, dtype=dtype) if offset.any() else None

    def __call__(self, parameters: Tensor) -> Tensor:
        """Half angles (... x rows) of parameters (... x parameters)."""
        half = parameters @ self._jacobian
        if self._pairs:
            left, right = (parameters @ chosen for chosen in self._pairs)
            half = half + (left * right) @ self._quadratic
        return half if self._offset is None else half + self._offset


class DiagonalGates:
    """Commuting rotations about Z...Z, as one phase for each basis state."""

    def __init__(self, program: CircuitProgram, step: Diagonals, dtype: torch.dtype) -> None:
        self._angles = HalfAngles(program, step.angles, dtype)
        self._signs = torch.tensor(step.signs, dtype=dtype)
        self.is_shared, self.n_states_kept = self._angles.is_shared, 6

    def shared(self, weights: Tensor) -> list[GateStep]:
        """What each layer does, given layers x weights."""
        phases = self._angles(weights) @ self._signs
        parts = zip(torch.cos(phases).unbind(), torch.sin(phases).unbind(), strict=True)
        return [functools.partial(_turned, cosine, sine) for cosine, sine in parts]

    def of_samples(self, parameters: Tensor) -> GateStep:
        """What a layer does to the states of samples, given (inputs, weights) of each (batch x both)."""
        phases = self._angles(parameters) @ self._signs
        return functools.partial(_turned, torch.cos(phases), torch.sin(phases))


class RotationGates:
    """Rotations on all wires."""

    def __init__(self, program: CircuitProgram, step: Rotations, dtype: torch.dtype) -> None:
        self.depth, self.n_qubits = step.angles.shape
        self._angles = HalfAngles(program, step.angles.ravel(), dtype)
        self.is_shared = self._angles.is_shared
        self._wires = [wire for wire in range(self.n_qubits) if step.axes[:, wire].any()]
        self._axes = torch.tensor(step.axes, dtype=dtype)
        self._product = torch.tensor(PRODUCT, dtype=dtype)
        self._to_matrix = torch.tensor(TO_MATRIX, dtype=dtype)
        self._groups = _groups(self.n_qubits, GROUP if self.is_shared else SAMPLE_GROUP)
        self.n_states_kept = 7 * sum(self._turns(group) for group in self._groups)

    def halves(self, parameters: Tensor) -> Tensor:
        """Half angles, ... x depth x wires, of parameters (... x parameters)."""
        return self._angles(parameters).unflatten(-1, (self.depth, self.n_qubits))  # type: ignore[no-any-return]

    def matrices(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary part of every wire's product of rotations, ... x wires x 2 x 2."""
        half = self.halves(parameters)[..., None]
        rotations = torch.cat([torch.cos(half), torch.sin(half) * self._axes], dim=-1).unbind(-3)
        total = rotations[0]
        for rotation in rotations[1:]:
            total = (rotation[..., :, None] * total[..., None, :]).flatten(-2) @ self._product
        re, im = (total @ self._to_matrix).unflatten(-1, (2, 2, 2)).unbind(-3)
        return re, im

    @property
    def is_whole(self) -> bool:
        """Whether all wires are one group, so that a layer is one matrix."""
        return len(self._groups) == 1 and self._turns(self._groups[0])

    def whole(self, weights: Tensor) -> Tensor:
        """That real matrix of each layer, layers x 2D x 2D, given layers x weights."""
        return _real(*_of_group(self._groups[0], *self.matrices(weights)))

    def shared(self, weights: Tensor) -> list[GateStep]:
        """What each layer does, given layers x weights."""
        re, im = self.matrices(weights)
        sizes, blocks = [], []
        for group in self._groups:
            sizes.append(2 ** len(group))
            if self._turns(group):
                blocks.append((len(sizes), _real(*_of_group(group, re, im)).unbind()))

        def step(layer: int, states: Tensor) -> Tensor:
            parts = states.T.reshape(2, *sizes, len(states))
            for axis, matrices in blocks:
                parts = _on_axis(matrices[layer], axis, parts)
            return parts.reshape(-1, len(states)).T

        return [functools.partial(step, layer) for layer in range(len(weights))]

    def of_samples(self, parameters: Tensor) -> GateStep:
        """What a layer does to the states of samples, given (inputs, weights) of each (batch x both)."""
        re, im = self.matrices(parameters)
        blocks = [
            (2**group.start, torch.cat(_of_group(group, re, im), dim=-2))
            for group in self._groups
            if self._turns(group)
        ]

        def step(states: Tensor) -> Tensor:
            for before, matrices in blocks:
                states = _on_group_of_samples(matrices, before, states)
            return states

        return step

    def _turns(self, group: range) -> bool:
        return any(wire in group for wire in self._wires)


def _groups(n_qubits: int, size: int) -> list[range]:
    """As few, about equal groups of neighbouring wires as hold at most ``size`` each."""
    n_groups = -(-n_qubits // size)
    edges = [round(index * n_qubits / n_groups) for index in range(n_groups + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(edges)]


def _of_group(group: range, re: Tensor, im: Tensor) -> Factors:
    """Kronecker product of a group's wires, of ... x wires x 2 x 2."""
    wires = slice(group.start, group.stop)
    return kron((re[..., wires, :, :], im[..., wires, :, :]))


def _turned(cosine: Tensor, sine: Tensor, states: Tensor) -> Tensor:
    """Amplitudes times cos - i sin (D, or any x D)."""
    re, im = states.chunk(2, dim=1)
    return torch.cat([re * cosine + im * sine, im * cosine - re * sine], dim=1)


def _on_axis(matrix: Tensor, axis: int, parts: Tensor) -> Tensor:
    """A complex matrix on a group of wires.

    Args:
        matrix: [[re, -im], [im, re]], 2s x 2s.
        axis: which axis of ``parts`` the group is, of size s.
        parts: 2 x groups x batch.
    """
    front = parts.movedim(axis, 1)
    moved = matrix @ front.reshape(len(matrix), -1)
    return moved.reshape(front.shape).movedim(1, axis)


def _on_group_of_samples(matrices: Tensor, before: int, states: Tensor) -> Tensor:
    """Each sample's own complex matrix (batch x 2s x s, real above imaginary part) on an axis of size s of its state.

    Args:
        before: the product of the state's axes before that one.
    """
    batch, size = len(states), matrices.shape[-1]
    parts = states.reshape(batch, 2, before, size, -1)
    moved = matrices @ parts.movedim(3, 1).reshape(batch, size, -1)
    real, imaginary = moved.reshape(batch, 2, size, 2, before, -1).unbind(1)
    (re_re, re_im), (im_re, im_im) = real.unbind(2), imaginary.unbind(2)
    return torch.stack([re_re - im_im, re_im + im_re], dim=1).movedim(2, 3).reshape(states.shape)


def _real(re: Tensor, im: Tensor) -> Tensor:
    """[[re, -im], [im, re]], of ... x D x D parts."""
    return torch.cat([torch.cat([re, -im], dim=-1), torch.cat([im, re], dim=-1)], dim=-2)


def kron(factors: Factors) -> Factors:
    """Kronecker product over wires, ... x wires x r x c to ... x r^wires x c^wires; wire 0 is most significant.

    ``factors`` are a real tensor, or real and imaginary parts. Neighbours are multiplied first, all pairs at once.
    """
    stacked = _kron(torch.stack(factors))
    return stacked.unbind()


def _kron(factors: Tensor) -> Tensor:
    """The same of parts x ... x wires x r x c, the real and then the imaginary part if there is one."""
    n_wires = factors.shape[-3]
    if n_wires == 1:
        return factors.squeeze(-3)
    if n_wires % 2:
        head, tail = factors.split([1, n_wires - 1], dim=-3)
        return _outer(head.squeeze(-3), _kron(tail))
    left, right = factors.unflatten(-3, (n_wires // 2, 2)).unbind(-3)
    return _kron(_outer(left, right))


def _outer(a: Tensor, b: Tensor) -> Tensor:
    """Kronecker products of matrices (parts x ... x r x c), real or complex: all products of parts at once, as the time
    to compile them grows with the number of operations."""
    shape = (*a.shape[1:-2], a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1])
    products = (a[:, None, ..., :, None, :, None] * b[..., None, :, None, :]).reshape(len(a), len(b), *shape)
    if len(a) == 1:
        return products[0]
    (re_re, re_im), (im_re, im_im) = (row.unbind() for row in products.unbind())
    return torch.stack([re_re - im_im, re_im + im_re])

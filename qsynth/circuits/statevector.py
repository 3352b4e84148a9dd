"""The batched statevector engine: real arithmetic, any number of lanes.

Layers that do not depend on the sample are built once, for few qubits as one 2^n x 2^n unitary, and applied to the
whole batch as matrix products; gates that take the sample's inputs are applied to each sample's state. Compilers
generate no code for complex tensors, so a state is a row of its real, then its imaginary amplitudes, and a complex
matrix A the real one [[re A, -im A], [im A, re A]]. Everything here is a pure function of one trial;
``torch.func.vmap`` makes the lanes. Operations are few and on all wires or layers at once, because the time to compile
them, forwards and backwards, grows with their number.
"""

import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.gates import UNITARY_QUBITS, GateStep, RotationGates, kron
from qsynth.circuits.layer_group import LayerGroup
from qsynth.circuits.ledger import Ledger
from qsynth.circuits.program import CircuitProgram, Permutation, Rotations, trace
from qsynth.circuits.readout import PauliWords, find_readout
from qsynth.circuits.sampling import ShotSampler
from qsynth.circuits.spend import Spend
from qsynth.errors import MemoryLimitError

MAX_QUBITS = 16


def statevector_bytes(n_qubits: int) -> int:
    """Memory of one state of ``n_qubits`` in complex128: 16 * 2^n bytes."""
    return 16 << n_qubits


def check_size(n_qubits: int) -> None:
    """Refuse what this engine can't hold.

    Raises:
        QsynthError: more qubits than the engine takes; the message has the memory estimate.
    """
    if n_qubits > MAX_QUBITS:
        raise MemoryLimitError(
            f"n_qubits must be at most {MAX_QUBITS} on the statevector engine, which holds a state for every row of a "
            f"batch; got {n_qubits}, whose state takes {human_bytes(statevector_bytes(n_qubits))}"
        )


def human_bytes(size: float) -> str:
    """``size`` with a binary unit, e.g. ``'16 TiB'``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} YiB"


class StatevectorEngine:
    """Executes an :class:`Ansatz` and measures a readout.

    With ``shots``, the outputs are estimates from so many outcomes in each of the readout's bases. Their gradient is
    that of the exact outputs, as a simulator knows it. Deviation: from hardware, whose gradients are estimates too; a
    PennyLane device with parameter-shift has those.

    Raises:
        QsynthError: too many qubits, a template that the engine can't read, or an unknown readout.
    """

    name, method = "statevector", "backprop"

    def __init__(
        self,
        ansatz: Ansatz,
        n_qubits: int,
        n_layers: int,
        dtype: torch.dtype = torch.float32,
        readout: str | PauliWords = "z",
        shots: int | None = None,
    ) -> None:
        check_size(n_qubits)
        self.n_qubits, self.n_layers, self.dtype, self.shots = n_qubits, n_layers, dtype, shots
        self.n_inputs = ansatz.n_inputs(n_qubits, n_layers)
        self.n_layer_weights = ansatz.n_layer_weights(n_qubits)
        embedding = trace(lambda x, _: ansatz.embed(x, n_qubits), self.n_inputs, 0, n_qubits)
        self._start = _Start(embedding, dtype)
        self._embedding = LayerGroup(embedding, {0: self._start.rest}, dtype)
        digest = hashlib.sha256(_circuit_key(embedding))
        groups: dict[bytes, dict[int, CircuitProgram]] = {}
        for index in range(n_layers):

            def layer(inputs: Any, weights: Any, index: int = index) -> None:
                ansatz.apply(index, inputs, weights, n_qubits)

            program = trace(layer, self.n_inputs, self.n_layer_weights, n_qubits)
            groups.setdefault(_rotation_key(program), {})[index] = program
            digest.update(_circuit_key(program))
        self._groups = [
            LayerGroup(next(iter(of.values())), {index: program.steps for index, program in of.items()}, dtype)
            for of in groups.values()
        ]
        shared = all(group.is_shared for group in [self._embedding, *self._groups])
        # All that follows the embedding is one matrix for the whole batch, if it can be.
        self._basis = self._start.basis(dtype) if shared and n_qubits <= UNITARY_QUBITS else None
        measured = find_readout(readout, n_qubits)
        self.n_outputs = measured.n_outputs(n_qubits)
        digest.update(f"{measured.measurements(n_qubits)} {shots}".encode())
        # Equal for equal circuits, whatever their ansatz and readout are called.
        self.fingerprint = digest.hexdigest()
        self.ledger = Ledger()
        self._exact = measured.exact(n_qubits, dtype)
        self._sampler = None if shots is None else ShotSampler(measured, n_qubits, shots, dtype)

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor, shots: Tensor | None = None) -> Tensor:
        """The readout's outputs.

        Args:
            inputs: batch x inputs, angles in radians.
            weights: layers x weights per layer, in radians.
            layer_mask: layers; 1 applies a layer, 0 leaves the state as it is.
            shots: how many of the engine's are taken, a scalar; None for all.

        Returns:
            batch x outputs, in [-1, 1].
        """
        if self._basis is not None:
            final = self._start.rows(inputs) @ self._applied(self._basis, inputs, weights, layer_mask)
        else:
            final = self._applied(self._start.states(inputs), inputs, weights, layer_mask)
        values = self._exact(final)
        if self._sampler is None:
            return values
        # What is added is 0, and has the gradient.
        return self._sampler(final, inputs, weights, shots) + (values - values.detach())

    def cost(self, n_rows: int, gradient: bool = False) -> Spend:
        """What the values of ``n_rows`` inputs take, or in addition their gradients, which are exact."""
        if gradient or self._sampler is None:
            return Spend(n_rows)
        return Spend(n_rows * self._sampler.n_settings, n_rows * self._sampler.n_settings * self._sampler.shots)

    def state_bytes(self, n_rows: int, gradient: bool) -> int:
        """Memory that the states of ``n_rows`` inputs take at most, with or without the gradient; an estimate."""
        if self._basis is not None:
            copies = 6
        elif gradient:
            groups = [(group, len(group.members)) for group in (self._embedding, *self._groups)]
            copies = 16 + sum(group.n_states_kept * count for group, count in groups)
        else:
            copies = 16
        sampling = 0 if self._sampler is None else self._sampler.row_bytes
        return int(n_rows * (copies * 2 ** (self.n_qubits + 1) * self.dtype.itemsize + sampling))

    def _applied(self, states: Tensor, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """The rest of the embedding, and all active layers, applied to states (any x 2D)."""
        for step in self._embedding.steps(inputs, weights.new_zeros(1, 0))[0]:
            states = step(states)
        return self._layers(states, inputs, weights, layer_mask)

    def _layers(self, states: Tensor, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        steps: dict[int, list[GateStep]] = {}
        matrices: dict[int, Tensor] = {}
        for group in self._groups:
            members = slice(None) if len(self._groups) == 1 else group.members
            if group.is_whole:
                of_group = group.matrices(weights[members], layer_mask[members])
                matrices |= dict(zip(group.members, of_group.unbind(), strict=True))
            else:
                steps |= group.steps(inputs, weights[members])
        columns = states.T  # as they lie in memory
        for index, on in enumerate((layer_mask > 0).unbind()):
            if index in matrices:
                columns = matrices[index] @ columns
                continue
            after = columns.T
            for step in steps[index]:
                after = step(after)
            columns = torch.where(on, after.T, columns)
        return columns.T


class _Start:
    """The embedding's first rotations, of |0...0>.

    A single RX or RY on each wire makes amplitudes cos or sin times constant phases; then a sample is a row of D real
    numbers, to be multiplied by the phases. Otherwise its row holds the 2D real and imaginary amplitudes.
    """

    def __init__(self, program: CircuitProgram, dtype: torch.dtype) -> None:
        self._size = 2**program.n_qubits
        self._rotations: RotationGates | None = None
        self._phases: Tensor | None = None
        self._zero = torch.eye(1, 2 * self._size, dtype=dtype)
        self.rest = program.steps
        if program.steps and isinstance(program.steps[0], Rotations):
            first, self.rest = program.steps[0], program.steps[1:]
            self._rotations = RotationGates(program, first, dtype)
            if first.axes.shape[0] == 1 and not first.axes[0, :, 2].any():
                phases = np.ones(1)
                for x, y, _ in first.axes[0]:
                    phases = np.kron(phases, [1.0, y - 1j * x])
                self._phases = torch.tensor(np.stack([phases.real, phases.imag]), dtype=dtype)

    def rows(self, inputs: Tensor) -> Tensor:
        """Batch x D or 2D, of inputs (batch x inputs)."""
        if self._rotations is None:
            return self._zero.expand(len(inputs), -1)
        parameters = inputs[:, :0] if self._rotations.is_shared else inputs
        if self._phases is not None:
            half = self._rotations.halves(parameters).squeeze(-2)
            [row] = kron((torch.stack([torch.cos(half), torch.sin(half)], dim=-1).unsqueeze(-1),))
            return row.squeeze(-1)
        first_columns = tuple(part[..., :1] for part in self._rotations.matrices(parameters))
        return torch.cat(kron(first_columns), dim=-2).squeeze(-1)

    def basis(self, dtype: torch.dtype) -> Tensor:
        """The constant matrix (D or 2D x 2D) that makes states of rows."""
        if self._phases is None:
            return torch.eye(2 * self._size, dtype=dtype)
        return torch.cat([torch.diag(part) for part in self._phases], dim=1)

    def states(self, inputs: Tensor) -> Tensor:
        """``rows @ basis``, batch x 2D, without the large matrix; transposed in memory, as gates want it."""
        rows = self.rows(inputs)
        return rows if self._phases is None else (rows.T.contiguous() * self._phases[:, :, None]).flatten(0, 1).T


def _rotation_key(program: CircuitProgram) -> bytes:
    """Equal for programs that differ in their permutations at most."""
    parts = [program.offset.tobytes(), program.jacobian.tobytes(), program.pairs.tobytes(), program.quadratic.tobytes()]
    for step in program.steps:
        if isinstance(step, Permutation):
            parts.append(b"permutation")
        else:
            what = step.axes if isinstance(step, Rotations) else step.signs
            parts += [what.tobytes(), step.angles.tobytes()]
    return b"|".join(parts)


def _circuit_key(program: CircuitProgram) -> bytes:
    """Equal for equal programs."""
    permutations = [step for step in program.steps if isinstance(step, Permutation)]
    parts = [part.tobytes() for step in permutations for part in (step.order, step.signs)]
    return b"|".join([_rotation_key(program), *parts])

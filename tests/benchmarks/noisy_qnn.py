"""A QNN on a noisy processor with finite shots, gradients by parameter-shift: many circuits at once.

A state of n qubits is the vector of its 4^n Pauli coefficients, which real arithmetic turns, permutes and shrinks: the
errors of :class:`qsynth.circuits.noise.NoiseConfig` are factors. A test holds it to ``default.mixed``.
"""

import functools
import math

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.circuits.noise import NoiseConfig
from qsynth.qnn.model import QuantumModel

# CNOT as it takes the Paulis I, X, Y, Z of (control, target), in that order, to each other, and those it negates.
_MOVES = {(0, 2): (3, 2), (0, 3): (3, 3), (1, 0): (1, 1), (1, 2): (2, 3), (1, 3): (2, 2), (2, 0): (2, 1)}
_NEGATED = {(1, 3), (2, 2)}
SHIFT = math.pi / 2


class NoisyQNN:
    """Layers of ``strongly_entangling`` behind ``angle_x``, as a model's circuit has them.

    Args:
        shots: of every circuit. Deviation: outputs are drawn independently of each other, where a processor reads all
            of them from the same shots.
    """

    def __init__(self, model: QuantumModel, noise: NoiseConfig, shots: int, seed: int) -> None:
        self.model, self.noise, self.shots = model, noise, shots
        self.n_qubits, self.n_layers = model.circuit.n_qubits, model.circuit.n_layers
        self.n_angles = self.n_qubits * (1 + 3 * self.n_layers)
        self._random = torch.Generator().manual_seed(seed)
        self._rings = [self._ring(index % (self.n_qubits - 1) + 1) for index in range(self.n_layers)]
        # Column 0 is the circuit itself; then come all angles shifted up, then all shifted down.
        eye = SHIFT * torch.eye(self.n_angles)
        self._shifts = torch.cat([torch.zeros(1, self.n_angles), eye, -eye])

    def outputs(self, flat: Tensor, x: Tensor) -> Tensor:
        """Logits from shots, lanes x rows x outputs, of parameters (lanes x ...) and rows (lanes x rows x features)."""
        values = self._measured(vmap(self._angles)(flat, x))
        return vmap(self._logits)(flat, values)

    def gradient(self, flat: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Of the loss, lanes x parameters, by parameter-shift; that of gain and bias is computed from the values."""
        angles = vmap(self._angles)(flat, x)
        measured = self._measured(angles[..., None, :] + self._shifts)
        up, down = measured[:, :, 1:].chunk(2, dim=2)
        slopes = 0.5 * (up - down)

        def loss(parameters: Tensor, rows: Tensor, at: Tensor, values: Tensor, by: Tensor, *wanted: Tensor) -> Tensor:
            moved = self._angles(parameters, rows) - at  # 0, with the gradient of the angles
            logits = self._logits(parameters, values + torch.einsum("ra,rao->ro", moved, by))
            return (wanted[1] * self.model.losses(logits, wanted[0])).sum()

        return vmap(grad(loss))(flat, x, angles, measured[:, :, 0], slopes, target, weight)

    def _logits(self, flat: Tensor, values: Tensor) -> Tensor:
        p = self.model.layout.split(flat)
        return p["gain"] * values + p["bias"]

    def _angles(self, flat: Tensor, x: Tensor) -> Tensor:
        """Rows x angles: the encoder's, then the layers'."""
        p = self.model.layout.split(flat)
        idle = torch.zeros(len(x), self.n_qubits - x.shape[1])
        weights = p["weights"].flatten().expand(len(x), -1)
        return torch.cat([0.5 * math.pi * p["scale"] * x, idle, weights], dim=1)

    def _measured(self, angles: Tensor) -> Tensor:
        """Means of shots, ... x outputs, of angles (... x angles)."""
        exact = self.exact(angles.flatten(0, -2)).clamp(-1, 1)
        heads = torch.binomial(torch.full_like(exact, self.shots), 0.5 * (1 + exact), generator=self._random)
        return (2 * heads / self.shots - 1).unflatten(0, angles.shape[:-1])

    def exact(self, angles: Tensor) -> Tensor:
        """<Z> of each output's qubit, circuits x outputs, of angles (circuits x angles); shots apart."""
        n, fidelity = self.n_qubits, 1 - 4 * self.noise.one_qubit / 3
        encoded, layers = angles[:, :n], angles[:, n:].unflatten(1, (self.n_layers, n, 3))
        zero = torch.zeros_like(encoded)
        bloch = torch.stack([zero, -torch.sin(encoded), torch.cos(encoded)], dim=2) * fidelity
        qubits = torch.cat([torch.ones_like(encoded)[..., None], bloch], dim=2)
        state = functools.reduce(lambda a, b: (a[:, :, None] * b[:, None]).flatten(1), qubits.unbind(1))
        for index, (order, factor) in enumerate(self._rings):
            turns = _rotations(layers[:, index], fidelity**3)
            for wire in range(n):
                parts = state.reshape(len(state), 4**wire, 4, -1)
                state = torch.einsum("bij,bajc->baic", turns[:, wire], parts).flatten(1)
            state = state[:, order] * factor
        of_wire = [3 * 4 ** (n - 1 - wire) for wire in range(self.model.n_outputs)]
        return (1 - 2 * self.noise.readout) * state[:, of_wire]

    def _ring(self, reach: int) -> tuple[Tensor, Tensor]:
        """CNOTs from every wire to the one ``reach`` farther, with errors: an order of coefficients and factors."""
        n, fidelity = self.n_qubits, 1 - 4 * self.noise.two_qubit / 3
        moves = _MOVES | {after: before for before, after in _MOVES.items()}
        order, factor = np.arange(4**n), np.ones(4**n)
        digits = np.stack([np.arange(4**n) // 4 ** (n - 1 - wire) % 4 for wire in range(n)], axis=1)
        for wire in range(n):
            pair = [wire, (wire + reach) % n]
            source, shrink = digits.copy(), np.ones(4**n)
            for place, found in enumerate(map(tuple, digits[:, pair].tolist())):
                source[place, pair] = moves.get(found, found)
                shrink[place] = fidelity ** np.count_nonzero(found) * (-1.0 if found in _NEGATED else 1.0)
            before = source @ 4 ** np.arange(n)[::-1]
            order, factor = order[before], shrink * factor[before]
        return torch.as_tensor(order), torch.as_tensor(factor, dtype=torch.float32)


def _rotations(angles: Tensor, fidelity: float) -> Tensor:
    """RZ, RY, RZ of each wire, shrunk, as matrices of I, X, Y, Z: circuits x wires x 4 x 4, of ... x wires x 3."""
    cosines, sines = torch.cos(angles).unbind(2), torch.sin(angles).unbind(2)
    one, zero = torch.ones_like(cosines[0]), torch.zeros_like(cosines[0])

    def about_z(at: int) -> Tensor:
        return _matrix([[cosines[at], -sines[at], zero], [sines[at], cosines[at], zero], [zero, zero, one]])

    about_y = _matrix([[cosines[1], zero, sines[1]], [zero, one, zero], [-sines[1], zero, cosines[1]]])
    turned = fidelity * about_z(2) @ about_y @ about_z(0)
    return torch.nn.functional.pad(turned, (1, 0, 1, 0)) + torch.nn.functional.pad(one[..., None, None], (0, 3, 0, 3))


def _matrix(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

"""Finite shots on the statevector engine: outcomes drawn from its own probabilities."""

import math

import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.gates import GateStep, RotationGates
from qsynth.circuits.program import Rotations, trace
from qsynth.circuits.readout import Readout, basis_probabilities
from qsynth.rng import digest, philox

MAX_SHOTS = 2**20
# Outcomes times shots up to which a draw is of 16 bits and compared with all bounds. What rounding moves, up to 2^-16
# in each probability, is there less than a tenth of an output's standard error.
MOST_COMPARED = 2048
AT_ONCE = 1024  # shots drawn together, so that memory does not grow with them
_WORD = 0xFFFFFFFF


class ShotSampler:
    """Estimates a readout's outputs as hardware does: ``shots`` outcomes in each of the readout's bases.

    The outcomes are drawn exactly (to 2^-32 in each probability, 2^-16 where outcomes and shots are few), and are a
    pure function: their random numbers come from the bits of the inputs and weights and from a row's place in its
    batch, so a call repeats bit for bit, and rows of other inputs, weights or places are independent.
    """

    def __init__(self, readout: Readout, n_qubits: int, shots: int, dtype: torch.dtype) -> None:
        self.shots = shots
        self._bases = [(_rotations(basis.letters, dtype), basis.outputs) for basis in readout.bases(n_qubits, dtype)]
        self.n_settings = len(self._bases)
        # Of one row: cumulated probabilities, bounds and counts, what is drawn at once, comparisons; an estimate.
        compared = 2**n_qubits * shots
        self.row_bytes = 8 * (
            4 * 2**n_qubits + 8 * min(shots, AT_ONCE) + (compared if compared <= MOST_COMPARED else 0)
        )
        places = [place for basis in readout.bases(n_qubits, dtype) for place in basis.places]
        self._back = torch.tensor(places).argsort()

    def __call__(self, states: Tensor, inputs: Tensor, weights: Tensor, shots: Tensor | None = None) -> Tensor:
        """Batch x outputs.

        Args:
            states: batch x 2D, at the end of the circuit.
            inputs: batch x inputs, the circuit's.
            weights: layers x weights, the circuit's.
            shots: how many are wanted (:func:`shots_taken`), a scalar; None for all.
        """
        taken = None if shots is None else taken_of(self.shots, shots)
        parts = zip(digest(inputs), digest(weights.flatten(), inputs.shape[1]), strict=True)
        key = tuple(((one + other) & _WORD)[:, None] for one, other in parts)
        estimates = []
        for index, (rotations, outputs) in enumerate(self._bases):
            turned = states.detach()
            for rotation in rotations:
                turned = rotation(turned)
            counts = _counts(basis_probabilities(turned), self.shots, taken, index, key)
            estimates.append(outputs(counts.to(states.dtype) / (self.shots if taken is None else taken)))
        return torch.cat(estimates, dim=1)[:, self._back]


def shots_taken(most: int, wanted: float) -> int:
    """How many shots are taken where ``wanted`` of at most ``most`` are: a whole number, at least one."""
    return int(taken_of(most, torch.tensor(wanted, dtype=torch.float32, device="cpu")))


def taken_of(most: int, wanted: Tensor) -> Tensor:
    """The same for a tensor, whose type is kept."""
    return torch.clamp(torch.round(wanted), min=1, max=most)


def _counts(probabilities: Tensor, shots: int, taken: Tensor | None, stream: int, key: tuple[Tensor, ...]) -> Tensor:
    """How often each outcome comes up in ``shots`` draws (batch x D), where it has ``probabilities`` (batch x D); draws
    beyond those ``taken``, if any, do not count.

    An outcome is found where random bits fall among the cumulated probabilities.
    """
    compares = probabilities.shape[1] * shots <= MOST_COMPARED
    n_bits = 16 if compares else 32
    cumulated = probabilities.to(torch.float64).cumsum(dim=1)
    bounds = (cumulated[:, :-1] / cumulated[:, -1:] * 2.0**n_bits).round()
    row = torch.arange(len(probabilities), dtype=torch.int64, device=probabilities.device)[:, None]

    def bits(start: int, n_shots: int) -> Tensor:
        """Of some draws, batch x n_shots."""
        per_block = 128 // n_bits
        first, end = start // per_block, -(-(start + n_shots) // per_block)
        block = torch.arange(first, end, dtype=torch.int64, device=probabilities.device)
        zero = torch.zeros_like(block)
        words = philox((block, row, zero + stream, zero), (key[0], key[1]))
        if compares:
            words = tuple(half for word in words for half in (word & 0xFFFF, word >> 16))
        return torch.cat(words, dim=1)[:, :n_shots]

    if compares:
        return _compared(bits(0, shots).to(torch.float32), bounds.to(torch.float32), taken)
    bounds, counts = bounds.to(torch.int64), torch.zeros_like(probabilities, dtype=torch.int64)
    for start in range(0, shots, AT_ONCE):
        n_shots = min(AT_ONCE, shots - start)
        outcomes = torch.searchsorted(bounds, bits(start, n_shots).contiguous(), right=True)
        counted = torch.ones_like(outcomes)
        if taken is not None:
            counted = counted * (torch.arange(start, start + n_shots, device=taken.device) < taken)
        counts = counts.scatter_add(1, outcomes, counted)
    return counts


def _compared(bits: Tensor, bounds: Tensor, taken: Tensor | None) -> Tensor:
    """The counts (batch x D) of ``bits`` (batch x shots), each held against each of ``bounds`` (batch x (D - 1)).

    In single precision, in which 16 bits are exact, compilers make vector instructions of it, which are faster than a
    search where outcomes and shots are few.
    """
    below, n = (bits[:, None, :] < bounds[:, :, None]).to(torch.float32), float(bits.shape[1])
    if taken is not None:
        below = below * (torch.arange(bits.shape[1], device=taken.device) < taken)
    ends = torch.zeros_like(bounds[:, :1])
    return torch.diff(below.sum(dim=2), dim=1, prepend=ends, append=ends + (n if taken is None else taken))


def _rotations(letters: str, dtype: torch.dtype) -> list[GateStep]:
    """What turns the eigenbases of the letters into that of Z."""

    def turn(_inputs: Tensor, _weights: Tensor) -> None:
        for wire, letter in enumerate(letters):
            if letter == "X":
                qp.RY(-math.pi / 2, wires=wire)
            elif letter == "Y":
                qp.RX(math.pi / 2, wires=wire)

    program = trace(turn, 0, 0, len(letters))
    nothing = torch.zeros(1, 0, dtype=dtype)
    return [
        RotationGates(program, step, dtype).shared(nothing)[0] for step in program.steps if isinstance(step, Rotations)
    ]

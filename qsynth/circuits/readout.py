"""What is measured at the end of a circuit: Pauli strings."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qsynth.circuits.gates import reordered
from qsynth.registry import Registry

Words = tuple[str, ...]


@dataclass(frozen=True)
class Readout:
    """Expectation values as a circuit's outputs.

    Attributes:
        words: Pauli strings for a number of qubits, e.g. ``("ZI", "IZ")``; wire 0 comes first.
    """

    name: str
    words: Callable[[int], Words]


def _single(letter: str) -> Callable[[int], Words]:
    return lambda n_qubits: tuple("I" * wire + letter + "I" * (n_qubits - wire - 1) for wire in range(n_qubits))


READOUTS: Registry[Readout] = Registry("readout")
READOUTS.register("z")(Readout("z", _single("Z")))
# Two outputs a qubit, so that a generator needs half as many qubits as the data has features.
READOUTS.register("zx")(Readout("zx", lambda n_qubits: _single("Z")(n_qubits) + _single("X")(n_qubits)))


class PauliExpectations:
    """Expectation values of Pauli strings in states (rows: real, then imaginary amplitudes).

    A string flips some bits of a basis state and multiplies it by +-1 or +-i, so its expectation value is a quadratic
    form of one product of a row with the same row in another order; strings that flip the same bits share the product.
    """

    def __init__(self, words: Words, n_qubits: int, dtype: torch.dtype) -> None:
        states = np.arange(2**n_qubits)
        groups: dict[tuple[int, bool], list[tuple[int, np.ndarray]]] = {}
        for index, word in enumerate(words):
            bits = {letter: _mask(word, letter) for letter in "XYZ"}
            odd = [(states & (bits["Y"] | bits["Z"])) >> shift & 1 for shift in range(n_qubits)]
            phase = 1j ** word.count("Y") * (-1.0) ** sum(odd)
            imaginary = word.count("Y") % 2 == 1
            coefficients = np.concatenate([phase.imag, -phase.imag] if imaginary else [phase.real, phase.real])
            groups.setdefault((bits["X"] | bits["Y"], imaginary), []).append((index, coefficients))
        self._groups: list[tuple[tuple[Tensor, Tensor] | None, Tensor]] = []
        places: list[int] = []
        for (flipped, imaginary), members in groups.items():
            halves = [states ^ flipped, (states ^ flipped) + len(states)]
            order = np.concatenate(halves[::-1] if imaginary else halves)
            moves = flipped or imaginary
            orders = (torch.tensor(order), torch.tensor(np.argsort(order))) if moves else None
            self._groups.append((orders, torch.tensor(np.stack([c for _, c in members], axis=1), dtype=dtype)))
            places += [index for index, _ in members]
        back = np.argsort(places)
        self._back = torch.tensor(np.eye(len(words))[:, back], dtype=dtype) if (np.diff(places) != 1).any() else None

    def __call__(self, states: Tensor) -> Tensor:
        """Batch x strings, of states (batch x 2D)."""
        parts = []
        for orders, coefficients in self._groups:
            other = states if orders is None else reordered(states, *orders)
            parts.append((states * other) @ coefficients)
        values = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return values if self._back is None else values @ self._back


def _mask(word: str, letter: str) -> int:
    """Bits of the wires where ``word`` has ``letter``; wire 0 is most significant."""
    return sum(1 << (len(word) - 1 - wire) for wire, found in enumerate(word) if found == letter)

"""What is measured at the end of a circuit: Pauli strings, or the probabilities of the basis states."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pennylane as qp
import torch
from torch import Tensor

from qsynth.circuits.gates import reordered
from qsynth.errors import StudyError
from qsynth.execution.narrow_matmul import narrow_matmul
from qsynth.registry import Registry

PauliWords = tuple[str, ...]
Outputs = Callable[[Tensor], Tensor]


class Basis(NamedTuple):
    """One setting of the measuring apparatus, and the outputs that it tells.

    Attributes:
        letters: in which Pauli's eigenbasis each wire is read, wire 0 first; I where it does not matter.
        places: which of the outputs these are.
        outputs: the outputs (batch x places) of each basis state's share of the shots (batch x D).
    """

    letters: str
    places: list[int]
    outputs: Outputs


class Readout(Protocol):
    """What a circuit's outputs are.

    Each is the expectation value of an observable with the eigenvalues -1 and 1, so it lies in [-1, 1], and one shot
    is one of the two.
    """

    def n_outputs(self, n_qubits: int) -> int:
        """How many outputs a circuit has."""
        ...

    def measurements(self, n_qubits: int) -> list[Any]:
        """What a PennyLane quantum function returns."""
        ...

    def outputs(self, results: Sequence[Tensor]) -> Tensor:
        """The outputs (outputs, or batch x outputs) of a QNode's results."""
        ...

    def exact(self, n_qubits: int, dtype: torch.dtype) -> Outputs:
        """The map from states (batch x 2D: real, then imaginary amplitudes) to their outputs (batch x outputs)."""
        ...

    def bases(self, n_qubits: int, dtype: torch.dtype) -> list[Basis]:
        """The settings that together tell all outputs."""
        ...


@dataclass(frozen=True)
class PauliStrings:
    """Expectation values of Pauli strings.

    Attributes:
        words: the strings for a number of qubits, e.g. ``("ZI", "IZ")``; wire 0 comes first.
    """

    words: Callable[[int], PauliWords]

    def n_outputs(self, n_qubits: int) -> int:
        """One a string."""
        return len(self.words(n_qubits))

    def measurements(self, n_qubits: int) -> list[Any]:
        """``qp.expval`` of each string."""
        return [qp.expval(qp.pauli.string_to_pauli_word(word)) for word in self.words(n_qubits)]

    def outputs(self, results: Sequence[Tensor]) -> Tensor:
        """The expectation values."""
        return torch.stack(list(results), dim=-1)

    def exact(self, n_qubits: int, dtype: torch.dtype) -> Outputs:
        """See :class:`PauliExpectations`."""
        return PauliExpectations(self.words(n_qubits), n_qubits, dtype)

    def bases(self, n_qubits: int, dtype: torch.dtype) -> list[Basis]:
        """Strings that agree on every wire where both have a letter are read together, each in the first setting that
        it agrees with."""
        words = self.words(n_qubits)
        groups: list[tuple[str, list[int]]] = []
        for place, word in enumerate(words):
            for index, (letters, places) in enumerate(groups):
                if all("I" in pair or pair[0] == pair[1] for pair in zip(letters, word, strict=True)):
                    groups[index] = "".join(map(max, letters, word)), [*places, place]  # I comes before X, Y and Z
                    break
            else:
                groups.append((word, [place]))
        return [
            Basis(letters, places, _Signed([words[place] for place in places], dtype)) for letters, places in groups
        ]


@dataclass(frozen=True)
class Probabilities:
    """The probabilities p of all basis states, in their order, as 2 p - 1: the expectation values of 2|i><i| - 1.

    Probabilities sum to 1, so at most one output of a row is above 0: data whose features are large together is out of
    this readout's reach.
    """

    def n_outputs(self, n_qubits: int) -> int:
        """2^qubits."""
        return int(2**n_qubits)

    def measurements(self, n_qubits: int) -> list[Any]:
        """``qp.probs`` of all wires."""
        return [qp.probs(wires=range(n_qubits))]

    def outputs(self, results: Sequence[Tensor]) -> Tensor:
        """2 p - 1."""
        [probabilities] = results
        return 2 * probabilities - 1

    def exact(self, n_qubits: int, dtype: torch.dtype) -> Outputs:
        """2 (re^2 + im^2) - 1."""
        return lambda states: 2 * basis_probabilities(states) - 1

    def bases(self, n_qubits: int, dtype: torch.dtype) -> list[Basis]:
        """One."""
        return [Basis("Z" * n_qubits, list(range(2**n_qubits)), lambda shares: 2 * shares - 1)]


def _single(letter: str) -> Callable[[int], PauliWords]:
    return lambda n_qubits: tuple("I" * wire + letter + "I" * (n_qubits - wire - 1) for wire in range(n_qubits))


READOUTS: Registry[Readout] = Registry("readout")
READOUTS.register("z")(PauliStrings(_single("Z")))
# Two outputs a qubit, so that a generator needs half as many qubits as the data has features.
READOUTS.register("zx")(PauliStrings(lambda n_qubits: _single("Z")(n_qubits) + _single("X")(n_qubits)))
READOUTS.register("probabilities")(Probabilities())


def find_readout(readout: str | PauliWords, n_qubits: int) -> Readout:
    """The readout of a name, or of Pauli strings.

    Raises:
        QsynthError: an unknown name, or a string that is none on ``n_qubits``.
    """
    if isinstance(readout, str):
        return READOUTS[readout]
    for word in readout or ("",):
        if len(word) != n_qubits or set(word) - set("IXYZ") or not word.strip("I"):
            raise StudyError(
                f"readout must be a name, or Pauli strings with one letter of I, X, Y, Z for each of the {n_qubits} "
                f"qubits and not I alone; got {word!r}"
            )
    return PauliStrings(lambda _: readout)


def basis_probabilities(states: Tensor) -> Tensor:
    """Of each basis state (batch x D), of states (batch x 2D)."""
    re, im = states.chunk(2, dim=1)
    return re * re + im * im


class _Signed:
    """Means of the products of the wires' outcomes, 1 or -1, on which each word has a letter."""

    def __init__(self, words: Sequence[str], dtype: torch.dtype) -> None:
        signs = []
        for word in words:
            of_wires = (np.array([1.0, -1.0 if letter != "I" else 1.0]) for letter in word)
            signs.append(functools.reduce(np.kron, of_wires))
        self._signs = torch.tensor(np.stack(signs, axis=1), dtype=dtype)

    def __call__(self, shares: Tensor) -> Tensor:
        return shares @ self._signs


class PauliExpectations:
    """Expectation values of Pauli strings in states (rows: real, then imaginary amplitudes).

    A string flips some bits of a basis state and multiplies it by +-1 or +-i, so its expectation value is a quadratic
    form of one product of a row with the same row in another order; strings that flip the same bits share the product.
    """

    def __init__(self, words: PauliWords, n_qubits: int, dtype: torch.dtype) -> None:
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
            parts.append(narrow_matmul(states * other, coefficients))
        values = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return values if self._back is None else values @ self._back


def _mask(word: str, letter: str) -> int:
    """Bits of the wires where ``word`` has ``letter``; wire 0 is most significant."""
    return sum(1 << (len(word) - 1 - wire) for wire, found in enumerate(word) if found == letter)

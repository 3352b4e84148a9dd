"""What finitely many shots say about states: outcomes are drawn basis by basis, and Pauli words read from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
States = Floats | Complexes

_TO_BASIS = {
    "X": np.array([[1, 1], [1, -1]]) / np.sqrt(2),
    "Y": np.array([[1, -1j], [1, 1j]]) / np.sqrt(2),
    "Z": np.eye(2),
}
_ROUNDING = 1e-20


@dataclass(frozen=True)
class Readout:
    """One measurement of all qubits at once.

    Attributes:
        basis: the Pauli matrix that is measured on each qubit, such as ``XXXX``.
        sites: of each word that is read from it, the qubits; their outcomes (1 or -1) are multiplied.
    """

    basis: str
    sites: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the words, such as ``x0x1``."""
        return tuple("".join(f"{self.basis[site].lower()}{site}" for site in word) for word in self.sites)

    def signs(self) -> Floats:
        """The value of each word at each outcome, outcomes x words."""
        n_qubits = len(self.basis)
        places = np.arange(n_qubits)[::-1]
        values = 1.0 - 2.0 * (np.arange(2**n_qubits)[:, None] >> places & 1)
        return np.stack([values[:, list(word)].prod(axis=1) for word in self.sites], axis=1)


def probabilities(states: States, basis: str) -> Floats:
    """Of the outcomes of measuring ``basis`` (rows x 2^n); the first qubit is the highest bit, and 0 the value 1."""
    rotation = reduce(np.kron, [_TO_BASIS[letter] for letter in basis])
    found = np.abs(states @ rotation.T) ** 2
    found[found < _ROUNDING] = 0.0  # where symmetry forbids an outcome, so that no machine draws another number for it
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def expectations(states: States, readouts: Sequence[Readout]) -> Floats:
    """What infinitely many shots would say: rows x words, readout after readout."""
    return np.concatenate([probabilities(states, each.basis) @ each.signs() for each in readouts], axis=1)


def estimates(states: States, readouts: Sequence[Readout], shots: int, rng: np.random.Generator) -> Floats:
    """Means over outcomes (rows x words): ``shots`` of them for each readout and row.

    All words of a readout come from the same outcomes, so that their errors go together as they do in a laboratory.
    """
    columns = []
    for each in readouts:
        counts = rng.multinomial(shots, probabilities(states, each.basis))
        columns.append(counts @ each.signs() / shots)
    return np.concatenate(columns, axis=1)


def sites_and_bonds(n_qubits: int, *, ring: bool) -> tuple[tuple[int, ...], ...]:
    """Every qubit, and every pair of neighbours."""
    bonds = [(site, site + 1) for site in range(n_qubits - 1)]
    if ring:
        bonds.append((n_qubits - 1, 0))
    return tuple((site,) for site in range(n_qubits)) + tuple(bonds)

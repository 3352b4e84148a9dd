"""Pauli words of a chain of qubits, as matrices."""

from collections.abc import Iterable

import numpy as np
import pennylane as qp
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def word_matrix(word: str) -> Floats:
    """A word such as ``XIZ``, ``2^n x 2^n``: the first letter acts on the first wire, the highest bit.

    Args:
        word: of I, X, Y and Z, with an even number of Y, so that the matrix is real.
    """
    letters = {wire: letter for wire, letter in enumerate(word) if letter != "I"}
    matrix = qp.pauli.PauliWord(letters).to_mat(wire_order=range(len(word)))
    return np.asarray(matrix.real, dtype=np.float64)


def along_chain(letters: str, n_qubits: int, *, ring: bool) -> list[str]:
    """``letters`` at each place where they fit: ``ZZ`` on three qubits is ZZI and IZZ, and on a ring ZIZ as well."""
    padded = letters + "I" * (n_qubits - len(letters))
    n_places = n_qubits if ring else n_qubits - len(letters) + 1
    return [padded[-place:] + padded[:-place] if place else padded for place in range(n_places)]


def total(words: Iterable[str]) -> Floats:
    """The sum of words, ``2^n x 2^n``."""
    return np.asarray(np.sum([word_matrix(word) for word in words], axis=0))

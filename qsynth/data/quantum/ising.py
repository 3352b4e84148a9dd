"""The transverse-field Ising chain."""

from typing import ClassVar

import numpy as np

from qsynth.data.quantum.measurement import Floats, Readout, sites_and_bonds
from qsynth.data.quantum.operators import along_chain, total, word_matrix
from qsynth.data.quantum.problem import GroundStateProblem, Points

CRITICAL_FIELD = 1.0
STRONGEST_FIELD = 2.0


class IsingChain(GroundStateProblem):
    """Ground states of ``H = -sum_i Z_i Z_(i+1) - h sum_i X_i`` on an open chain, h uniform in [0.05, 2).

    The coupling is 1. In the infinite chain the magnet orders below h = 1 and does not above [Pfeuty, Annals of Physics
    57, 79 (1970)]; that field separates the classes for short chains too, where the change is gradual.

    The chain's parity, the product of all X, commutes with H. The ground state is even, and as the field falls an odd
    state comes as near as h^n; ``-parity`` is added to H, which keeps the even one and changes no state.

    All qubits are measured in Z and, on other copies, in X. From these outcomes come the magnetisation of each site and
    the correlation of each pair of neighbours. The magnetisation along Z is zero in an even state: these columns hold
    nothing but shot noise, as they would in a laboratory.
    """

    class_names: ClassVar[tuple[str, ...]] = ("ordered", "disordered")
    qubits: ClassVar[range] = range(2, 9)
    usual_qubits: ClassVar[int] = 4
    usual_shots: ClassVar[int] = 20

    def points(self, n_rows: int, rng: np.random.Generator) -> Points:
        field = rng.uniform(0.05, STRONGEST_FIELD, n_rows)
        return Points(at_fields(field), (field > CRITICAL_FIELD).astype(np.int64))

    def terms(self, n_qubits: int) -> Floats:
        return np.stack([total(ising_words(n_qubits)), total(along_chain("X", n_qubits, ring=False))])

    def selector(self, n_qubits: int) -> Floats:
        return -word_matrix("X" * n_qubits)

    def readouts(self, n_qubits: int) -> tuple[Readout, ...]:
        words = sites_and_bonds(n_qubits, ring=False)
        return Readout("Z" * n_qubits, words), Readout("X" * n_qubits, words)


def ising_words(n_qubits: int) -> list[str]:
    """Z Z on every bond of an open chain."""
    return along_chain("ZZ", n_qubits, ring=False)


def at_fields(field: Floats) -> Floats:
    """Coefficients of the terms at fields: rows x 2."""
    return np.stack([-np.ones_like(field), -field], axis=1)

"""The XXZ chain."""

from typing import ClassVar

import numpy as np

from qsynth.data.quantum.measurement import Floats, Readout, sites_and_bonds
from qsynth.data.quantum.operators import along_chain, total, word_matrix
from qsynth.data.quantum.problem import GroundStateProblem, Points

FERROMAGNET_BELOW, NEEL_ABOVE = -1.0, 1.0
WIDEST = 3.0
PINNING_FIELD = 1e-3


class XXZChain(GroundStateProblem):
    """Ground states of ``H = sum_i (X_i X_(i+1) + Y_i Y_(i+1) + D Z_i Z_(i+1))`` on an open chain.

    D is uniform in [-3, 3), and the coupling in the plane is 1.

    In the infinite chain there is a ferromagnet at D < -1, a critical liquid with correlations in the plane at
    -1 < D < 1, and a Neel antiferromagnet at D > 1 [Yang & Yang, Physical Review 150, 321 (1966)]; these borders
    separate the classes. At D = -1 states cross, and the ferromagnet is plain to see at any length; at D = 1 the change
    is gradual in short chains.

    Two states of the ferromagnet, and two of chains of odd length, are degenerate: a field of 1e-3 along Z on the first
    site chooses one.

    All qubits are measured in Z and, on other copies, in X. From these outcomes come the magnetisation of each site and
    the correlation of each pair of neighbours.
    """

    class_names: ClassVar[tuple[str, ...]] = ("ferromagnet", "liquid", "neel")
    qubits: ClassVar[range] = range(2, 9)
    usual_qubits: ClassVar[int] = 4
    usual_shots: ClassVar[int] = 20

    def points(self, n_rows: int, rng: np.random.Generator) -> Points:
        anisotropy = rng.uniform(-WIDEST, WIDEST, n_rows)
        y = (anisotropy > FERROMAGNET_BELOW).astype(np.int64) + (anisotropy > NEEL_ABOVE)
        return Points(np.stack([np.ones(n_rows), anisotropy], axis=1), y)

    def terms(self, n_qubits: int) -> Floats:
        in_plane = [word for pair in ("XX", "YY") for word in along_chain(pair, n_qubits, ring=False)]
        return np.stack([total(in_plane), total(along_chain("ZZ", n_qubits, ring=False))])

    def selector(self, n_qubits: int) -> Floats:
        return -PINNING_FIELD * word_matrix("Z" + "I" * (n_qubits - 1))

    def readouts(self, n_qubits: int) -> tuple[Readout, ...]:
        words = sites_and_bonds(n_qubits, ring=False)
        return Readout("Z" * n_qubits, words), Readout("X" * n_qubits, words)

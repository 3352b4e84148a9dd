"""The cluster-Ising ring: symmetry-protected topological order, a magnet and a paramagnet."""

from typing import ClassVar

import numpy as np

from qsynth.data.quantum.measurement import Floats, Readout, sites_and_bonds
from qsynth.data.quantum.operators import along_chain, total, word_matrix
from qsynth.data.quantum.problem import GroundStateProblem, Points


class ClusterIsingRing(GroundStateProblem):
    """Ground states of ``H = -K sum_i Z_(i-1) X_i Z_(i+1) - h sum_i X_i + J sum_i Z_i Z_(i+1)`` on a ring.

    K, h and J are positive, sum to one, and are uniform among such. A Jordan-Wigner transformation turns H into free
    fermions whose energies at momentum k are ``2 |f(exp(ik))|`` with ``f(z) = h + J z - K z^2``; how many zeros f has
    inside the unit circle is the phase's winding number [Verresen, Moessner & Pollmann, Physical Review B 96, 165124
    (2017)]. None, where ``h > J + K``: the paramagnet. One: the antiferromagnet. Two, where ``K > J + h``: the cluster
    state's symmetry-protected topological (SPT) phase, which no local order tells from the paramagnet. Of the rings a
    half are antiferromagnets and a quarter each of the others. Cong, Choi & Lukin, Nature Physics 15, 1273 (2019)
    taught a quantum convolutional network on phases of such a kind, with X X in the place of Z Z.

    As for the Ising chain the ground state is even under the product of all X, and ``-parity`` is added to H. The
    number of qubits is even, so that no bond of the antiferromagnet is frustrated.

    All qubits are measured in Z, in X, and in Z and X by turns, the two ways. From these come the magnetisation of each
    site, the correlation of each pair of neighbours, and the stabilizer ``Z X Z`` of each site, which is 1 in the
    cluster state.
    """

    class_names: ClassVar[tuple[str, ...]] = ("paramagnet", "antiferromagnet", "spt")
    qubits: ClassVar[range] = range(4, 9, 2)
    usual_qubits: ClassVar[int] = 6
    usual_shots: ClassVar[int] = 5

    def points(self, n_rows: int, rng: np.random.Generator) -> Points:
        cluster, field, coupling = rng.dirichlet(np.ones(3), n_rows).T
        y = 1 + (cluster > coupling + field).astype(np.int64) - (field > coupling + cluster)
        return Points(np.stack([-cluster, -field, coupling], axis=1), y)

    def terms(self, n_qubits: int) -> Floats:
        return np.stack([total(along_chain(letters, n_qubits, ring=True)) for letters in ("ZXZ", "X", "ZZ")])

    def selector(self, n_qubits: int) -> Floats:
        return -word_matrix("X" * n_qubits)

    def readouts(self, n_qubits: int) -> tuple[Readout, ...]:
        words = sites_and_bonds(n_qubits, ring=True)
        stabilizers = [((site - 1) % n_qubits, site, (site + 1) % n_qubits) for site in range(n_qubits)]
        return (
            Readout("Z" * n_qubits, words),
            Readout("X" * n_qubits, words),
            Readout("XZ" * (n_qubits // 2), tuple(stabilizers[::2])),
            Readout("ZX" * (n_qubits // 2), tuple(stabilizers[1::2])),
        )

"""The hydrogen molecule along its bond."""

from functools import lru_cache
from typing import ClassVar

import numpy as np
import pennylane as qp
from numpy.polynomial.chebyshev import chebfit, chebpts1, chebval

from qsynth.data.quantum.measurement import Floats, Readout
from qsynth.data.quantum.operators import word_matrix
from qsynth.data.quantum.problem import GroundStateProblem, Points

SHORTEST, LONGEST = 0.4, 2.6
STRETCHED_BEYOND = 1.5
_MIDDLE, _HALF = (SHORTEST + LONGEST) / 2, (LONGEST - SHORTEST) / 2
_N_NODES = 24
_N_QUBITS = 4


class HydrogenMolecule(GroundStateProblem):
    """Ground states of H2 in the basis STO-3G, the bond's length uniform in [0.4, 2.6) angstrom.

    Four qubits are the four spin orbitals (bonding up and down, antibonding up and down) by the Jordan-Wigner
    transformation. The coefficients of the 15 Pauli words are those of PennyLane's own Hartree-Fock, in hartree with
    the repulsion of the nuclei, computed at 24 lengths and interpolated. The energy is least, -1.137
    hartree, at 0.735 angstrom [O'Malley et al., Physical Review X 6, 031007 (2016)].

    The ground state is ``cos(a) |1100> - sin(a) |0011>``: the angle a is small in the molecule and pi/4 between two
    atoms far apart, where one configuration does not do. The classes are bonds below and above 1.5 angstrom, twice the
    length at rest. With :func:`qsynth.data.quantum.energies.energy_rows` the energy is what there is to learn.

    Measured are the five bases that the energy takes: Z on all qubits, and X X Y Y, X Y Y X, Y X X Y and Y Y X X. From
    the first come the occupations (products of two Z are constant in this state), from each of the others the
    correlation of all four qubits.
    """

    class_names: ClassVar[tuple[str, ...]] = ("bound", "stretched")
    qubits: ClassVar[range] = range(_N_QUBITS, _N_QUBITS + 1)
    usual_qubits: ClassVar[int] = _N_QUBITS
    usual_shots: ClassVar[int] = 5

    def points(self, n_rows: int, rng: np.random.Generator) -> Points:
        length = rng.uniform(SHORTEST, LONGEST, n_rows)
        return Points(at_lengths(length), (length > STRETCHED_BEYOND).astype(np.int64))

    def terms(self, n_qubits: int) -> Floats:
        return np.stack([word_matrix(word) for word in _words()])

    def selector(self, n_qubits: int) -> Floats:
        """None is needed."""
        return np.zeros((2**n_qubits, 2**n_qubits))

    def reference(self, n_qubits: int) -> tuple[int, ...]:
        """Hartree-Fock's."""
        return 1, 1, 0, 0

    def readouts(self, n_qubits: int) -> tuple[Readout, ...]:
        occupations = Readout("ZZZZ", ((0,), (1,), (2,), (3,)))
        return occupations, *(Readout(basis, ((0, 1, 2, 3),)) for basis in ("XXYY", "XYYX", "YXXY", "YYXX"))


def at_lengths(length: Floats) -> Floats:
    """Coefficients in hartree of the Hamiltonian's words (rows x words) at lengths in angstrom."""
    return np.asarray(chebval((length - _MIDDLE) / _HALF, _polynomials()).T)


def hamiltonian(length: float) -> dict[str, float]:
    """Pauli words and their coefficients in hartree at a length in angstrom, by PennyLane's Hartree-Fock."""
    places = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, length]])
    molecule = qp.qchem.Molecule(["H", "H"], places, unit="angstrom")
    found, _ = qp.qchem.molecular_hamiltonian(molecule)
    words = {
        "".join(word.get(wire, "I") for wire in range(_N_QUBITS)): float(np.real(coefficient))
        for word, coefficient in found.pauli_rep.items()
    }
    return dict(sorted(words.items()))


@lru_cache(maxsize=1)
def _polynomials() -> Floats:
    """The coefficients as Chebyshev polynomials of the length, which runs from -1 to 1: powers x words."""
    nodes = chebpts1(_N_NODES)
    values = [list(hamiltonian(length).values()) for length in _MIDDLE + _HALF * nodes]
    return np.asarray(chebfit(nodes, np.array(values), _N_NODES - 1))


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    return tuple(hamiltonian(1.0))

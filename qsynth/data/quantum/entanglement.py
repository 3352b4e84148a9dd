"""Three qubits in the ways in which they can be entangled."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qsynth.data.quantum.measurement import Complexes, Floats, Readout, States, probabilities
from qsynth.data.quantum.problem import Columns, LabelledStates, Labels, QuantumProblem

N_QUBITS = 3
PAIRS = ((0, 1), (0, 2), (1, 2))
LEAST_ANGLE = np.pi / 8

# The third qubit's letter follows from the others' so that any two qubits see all nine pairs of letters.
BASES = tuple("".join("XYZ"[place % 3] for place in (a, b, a + b)) for a in range(3) for b in range(3))


class EntanglementClasses(QuantumProblem):
    """Pure states of three qubits: separable, biseparable, W and GHZ, a quarter each [Dur, Vidal & Cirac 2000].

    - separable: ``|000>``;
    - biseparable: ``cos(a) |00> + sin(a) |11>`` of two qubits chosen at random, and ``|0>``;
    - W: ``sqrt(p) |100> + sqrt(q) |010> + sqrt(r) |001>``, (p, q, r) of Dirichlet's distribution with parameters 4;
    - GHZ: ``cos(a) |000> + sin(a) |111>``;

    the angles a uniform in [pi/8, pi/4), and then on each qubit a unitary of its own, uniform among all (Haar). None of
    these classes becomes another by operations on single qubits, even where they succeed at times only [Dur, Vidal &
    Cirac, Physical Review A 62, 062314 (2000)].

    After random unitaries a Pauli word's expectation says next to nothing, its sign least of all. What they leave alone
    are sums of squares over the directions of each qubit (sector lengths): of a qubit ``sum_P <P>^2``, the length of
    its Bloch vector squared, and of a pair ``sum_PQ <P Q>^2``. They are, in a separable state, 1 and 1; in a Bell pair
    beside a qubit 0, 0 and 1, and 3 for the pair but 0 for others; in W 1/9 and 1; in GHZ 0 and 1. Nine measurements
    show all pairs of directions of any two qubits. A square is estimated without bias from N outcomes of mean m as
    ``(N m^2 - 1) / (N - 1)``, so that single columns may be negative.
    """

    class_names: ClassVar[tuple[str, ...]] = ("separable", "biseparable", "w", "ghz")
    qubits: ClassVar[range] = range(N_QUBITS, N_QUBITS + 1)
    usual_qubits: ClassVar[int] = N_QUBITS
    usual_shots: ClassVar[int] = 20

    def drawn(self, n_qubits: int, n_rows: int, rng: np.random.Generator) -> LabelledStates:
        y = rng.permutation(np.arange(n_rows) % len(self.class_names))
        return LabelledStates(turned(representatives(y, rng), rng), y)

    def measured(self, states: States, n_qubits: int, shots: int, rng: np.random.Generator) -> Columns:
        counts = [rng.multinomial(shots, probabilities(states, basis)) for basis in BASES]
        words = (*((site,) for site in range(N_QUBITS)), *PAIRS)
        columns = [_sector_length(counts, sites, shots) for sites in words]
        return Columns(np.stack(columns, axis=1), tuple("length_" + "".join(map(str, sites)) for sites in words))


def representatives(y: Labels, rng: np.random.Generator) -> Complexes:
    """One state of each class in ``y`` before it is turned, rows x 8."""
    n_rows = len(y)
    states = np.zeros((n_rows, 2, 2, 2))
    angle = rng.uniform(LEAST_ANGLE, np.pi / 4, n_rows)
    cosine, sine = np.cos(angle), np.sin(angle)
    weights, alone = np.sqrt(rng.dirichlet(np.full(N_QUBITS, 4.0), n_rows)), rng.integers(N_QUBITS, size=n_rows)
    states[y == 0, 0, 0, 0] = 1.0
    for site in range(N_QUBITS):
        rows = (y == 1) & (alone == site)
        both = tuple(int(each != site) for each in range(N_QUBITS))
        states[rows, 0, 0, 0] = cosine[rows]
        states[(rows, *both)] = sine[rows]
        one = tuple(int(each == site) for each in range(N_QUBITS))
        states[(y == 2, *one)] = weights[y == 2, site]
    states[y == 3, 0, 0, 0] = cosine[y == 3]
    states[y == 3, 1, 1, 1] = sine[y == 3]
    return states.reshape(n_rows, -1).astype(np.complex128)


def turned(states: Complexes, rng: np.random.Generator) -> Complexes:
    """Each row's state with a unitary of its own on each qubit, uniform among all of determinant one."""
    found = states.reshape(-1, 2, 2, 2)
    for axis in range(1, N_QUBITS + 1):
        quaternion = rng.normal(size=(len(states), 4))
        a, b, c, d = (quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True)).T
        unitary = np.array([[a + 1j * b, c + 1j * d], [-c + 1j * d, a - 1j * b]]).transpose(2, 0, 1)
        found = np.moveaxis(np.einsum("rij,r...j->r...i", unitary, np.moveaxis(found, axis, -1)), -1, axis)
    return np.ascontiguousarray(found.reshape(len(states), -1))


def _sector_length(counts: list[NDArray[np.int64]], sites: tuple[int, ...], shots: int) -> Floats:
    """Of the qubits ``sites`` (rows), from the outcomes' counts in each of the bases, rows x 8.

    Bases that agree on these qubits are one measurement of more shots.
    """
    totals: dict[str, Floats] = {}
    for basis, of_basis in zip(BASES, counts, strict=True):
        letters = "".join(basis[site] for site in sites)
        totals[letters] = totals.get(letters, 0.0) + of_basis @ Readout(basis, (sites,)).signs()[:, 0]
    n = shots * len(BASES) // len(totals)
    squares = (np.stack(list(totals.values())) ** 2 / n - 1) / (n - 1)
    return np.asarray(squares.sum(axis=0))

"""What a quantum data set is: states, their classes, and what is measured on them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qsynth.data.quantum.ground_state import energies, ground_states
from qsynth.data.quantum.measurement import Floats, Readout, States, estimates

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelledStates:
    """Rows before anything is measured.

    Attributes:
        states: rows x 2^n amplitudes.
        y: the class of each.
    """

    states: States
    y: Labels


@dataclass(frozen=True, eq=False)
class Columns:
    """Measured rows: x (rows x columns), and the columns' names."""

    x: Floats
    names: tuple[str, ...]


class QuantumProblem(ABC):
    """A kind of states with classes.

    Attributes:
        class_names: of the classes.
        qubits: how many there may be.
        usual_qubits: how many there are unless one says otherwise.
        usual_shots: of each measurement, likewise; so few that 20 rows do not show all.
    """

    class_names: ClassVar[tuple[str, ...]]
    qubits: ClassVar[range]
    usual_qubits: ClassVar[int]
    usual_shots: ClassVar[int]

    @abstractmethod
    def drawn(self, n_qubits: int, n_rows: int, rng: np.random.Generator) -> LabelledStates:
        """States at random."""

    @abstractmethod
    def measured(self, states: States, n_qubits: int, shots: int, rng: np.random.Generator) -> Columns:
        """What ``shots`` outcomes of each measurement say about states (rows x 2^n)."""


@dataclass(frozen=True, eq=False)
class Points:
    """Hamiltonians: coefficients of their terms (rows x terms), and the phase of each (rows)."""

    coefficients: Floats
    y: Labels


class GroundStateProblem(QuantumProblem):
    """Ground states of Hamiltonians that are sums of the same terms."""

    @abstractmethod
    def points(self, n_rows: int, rng: np.random.Generator) -> Points:
        """Hamiltonians at random."""

    @abstractmethod
    def terms(self, n_qubits: int) -> Floats:
        """Of a Hamiltonian, terms x 2^n x 2^n, real and symmetric."""

    @abstractmethod
    def selector(self, n_qubits: int) -> Floats:
        """What is added to every Hamiltonian so that its ground state is the only one, 2^n x 2^n."""

    @abstractmethod
    def readouts(self, n_qubits: int) -> tuple[Readout, ...]:
        """What is measured."""

    def reference(self, n_qubits: int) -> tuple[int, ...]:
        """Bits of the basis state near which variational eigensolvers begin."""
        return (0,) * n_qubits

    def ground(self, n_qubits: int, coefficients: Floats) -> Floats:
        """Ground states (rows x 2^n) of Hamiltonians, given as coefficients of terms (rows x terms)."""
        terms = np.concatenate([self.terms(n_qubits), self.selector(n_qubits)[None]])
        return ground_states(terms, np.column_stack([coefficients, np.ones(len(coefficients))]))

    def energies(self, n_qubits: int, coefficients: Floats, states: Floats) -> Floats:
        """Of states (rows x 2^n), in the unit of the coefficients and without the selector."""
        return energies(self.terms(n_qubits), coefficients, states)

    def drawn(self, n_qubits: int, n_rows: int, rng: np.random.Generator) -> LabelledStates:
        points = self.points(n_rows, rng)
        return LabelledStates(self.ground(n_qubits, points.coefficients), points.y)

    def measured(self, states: States, n_qubits: int, shots: int, rng: np.random.Generator) -> Columns:
        readouts = self.readouts(n_qubits)
        names = tuple(name for each in readouts for name in each.names)
        return Columns(estimates(states, readouts, shots, rng), names)

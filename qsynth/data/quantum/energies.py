"""Energies of the rows of a quantum data set: something to learn by regression."""

from dataclasses import dataclass

from qsynth.data.quantum.measurement import Floats
from qsynth.data.quantum.problem import GroundStateProblem
from qsynth.data.quantum.source import QuantumData, state_stream
from qsynth.errors import StudyError


@dataclass(frozen=True, eq=False)
class EnergyRows:
    """A task of regression.

    Attributes:
        x: rows x columns, as in the data set's table.
        energies: the exact energy of each row's ground state, in the coupling of a chain, and in hartree for ``h2``.
        feature_names: the columns' names.
    """

    x: Floats
    energies: Floats
    feature_names: tuple[str, ...]


def energy_rows(data: QuantumData) -> EnergyRows:
    """The rows of ``data.table()`` in their order, with energies in the place of classes.

    Raises:
        StudyError: the data set's states are not those of a Hamiltonian.
    """
    problem, table = data.problem, data.table()
    if not isinstance(problem, GroundStateProblem):
        raise StudyError(f"data must be of ground states, which have an energy; got name={data.name!r}")
    n_qubits = data.n_qubits or problem.usual_qubits
    coefficients = problem.points(data.n_rows, state_stream(data.data_seed)).coefficients
    energies = problem.energies(n_qubits, coefficients, problem.ground(n_qubits, coefficients))
    return EnergyRows(table.x, energies, table.feature_names)

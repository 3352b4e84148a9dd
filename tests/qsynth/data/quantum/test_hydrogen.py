"""The hydrogen molecule against PennyLane and published energies."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.neighbors import KNeighborsRegressor

from qsynth.data.quantum.energies import energy_rows
from qsynth.data.quantum.hydrogen import HydrogenMolecule, at_lengths, hamiltonian
from qsynth.data.quantum.measurement import Floats, expectations
from qsynth.data.quantum.operators import word_matrix
from qsynth.data.quantum.source import QuantumData
from qsynth.errors import QsynthError

MOLECULE = HydrogenMolecule()


def energy(length: float) -> float:
    coefficients = at_lengths(np.array([length]))
    return float(MOLECULE.energies(4, coefficients, MOLECULE.ground(4, coefficients))[0])


def columns(length: float) -> Floats:
    return expectations(MOLECULE.ground(4, at_lengths(np.array([length]))), MOLECULE.readouts(4))[0]


def test_the_energy_is_least_where_and_as_published() -> None:
    found = minimize_scalar(energy, bounds=(0.5, 1.2), method="bounded")
    assert found.x == pytest.approx(0.735, abs=2e-3)
    assert found.fun == pytest.approx(-1.1373, abs=1e-4)


def test_far_apart_it_is_two_atoms() -> None:
    """An atom has -0.46658 hartree in STO-3G."""
    assert energy(2.6) == pytest.approx(2 * -0.46658, abs=3e-3)


@pytest.mark.parametrize("length", [0.41, 0.97, 2.03, 2.58])
def test_interpolated_energies_are_those_of_pennylane(length: float) -> None:
    matrix = np.sum([value * word_matrix(word) for word, value in hamiltonian(length).items()], axis=0)
    assert energy(length) == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-7)


def test_two_electrons_share_one_orbital_or_two() -> None:
    bound, stretched = columns(0.735), columns(2.6)
    np.testing.assert_allclose(bound[:4], [-0.975, -0.975, 0.975, 0.975], atol=2e-3)
    assert np.abs(stretched[:4]).max() < 0.2
    np.testing.assert_allclose(np.abs(bound[4:]), 0.2234, atol=2e-3)
    assert np.abs(stretched[4:]).min() > 0.97


def test_the_energy_can_be_learned_from_what_is_measured() -> None:
    data = QuantumData(name="h2", n_rows=1000, shots=200)
    rows = energy_rows(data)
    np.testing.assert_array_equal(rows.x, data.table().x)
    assert (rows.energies.shape, rows.feature_names) == ((1000,), data.table().feature_names)
    assert rows.energies.min() == pytest.approx(-1.1373, abs=1e-4)
    model = KNeighborsRegressor(20).fit(rows.x[:700], rows.energies[:700])
    assert model.score(rows.x[700:], rows.energies[700:]) > 0.7


def test_stretched_rows_have_the_higher_energy() -> None:
    data = QuantumData(name="h2", n_rows=200)
    energies, y = energy_rows(data).energies, data.table().y
    assert energies[y == 1].min() > energy(1.5) - 1e-9
    assert energies[y == 0].min() < -1.13


def test_energies_are_of_hamiltonians() -> None:
    with pytest.raises(QsynthError, match=r"data must be of ground states.*got name='entanglement'"):
        energy_rows(QuantumData(name="entanglement"))

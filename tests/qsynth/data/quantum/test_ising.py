"""The Ising chain against what is known of it: free fermions, the critical field, its limits."""

import numpy as np
import pytest

from qsynth.data.quantum.ising import IsingChain, at_fields
from qsynth.data.quantum.measurement import Floats, expectations

CHAIN = IsingChain()


def of_free_fermions(n_qubits: int, field: float) -> float:
    """The energy of an open chain: minus the singular values of the matrix of its Majorana pairs [Pfeuty 1970]."""
    return float(-np.linalg.svd(field * np.eye(n_qubits) + np.eye(n_qubits, k=1), compute_uv=False).sum())


def ground(n_qubits: int, fields: Floats) -> tuple[Floats, Floats]:
    """Energies and states at fields."""
    states = CHAIN.ground(n_qubits, at_fields(fields))
    return CHAIN.energies(n_qubits, at_fields(fields), states), states


@pytest.mark.parametrize("n_qubits", [2, 4, 5, 7])
def test_energies_are_those_of_free_fermions(n_qubits: int) -> None:
    fields = np.array([0.05, 0.3, 1.0, 1.7])
    found, states = ground(n_qubits, fields)
    np.testing.assert_allclose(found, [of_free_fermions(n_qubits, field) for field in fields], atol=1e-9)
    np.testing.assert_allclose((states**2).sum(axis=1), 1.0)


def test_the_susceptibility_peaks_nearer_the_critical_field_in_longer_chains() -> None:
    fields = np.linspace(0.2, 1.8, 81)
    peaks = []
    for n_qubits in (4, 6, 8):
        susceptibility = -np.gradient(np.gradient(ground(n_qubits, fields)[0], fields), fields)
        peaks.append(fields[2:-2][susceptibility[2:-2].argmax()])
    assert peaks[0] < peaks[1] < peaks[2] < 1
    slope, at_infinity = np.polyfit([1 / 4, 1 / 6, 1 / 8], peaks, 1)
    assert slope < 0
    assert at_infinity == pytest.approx(1.0, abs=0.05)


def test_the_state_is_even_and_magnetised_along_the_field_only() -> None:
    _, states = ground(4, np.array([0.05, 1.0]))
    np.testing.assert_allclose(states, states[:, ::-1], atol=1e-9)  # X on every qubit turns the bits over
    along_z, along_x = np.split(expectations(states, CHAIN.readouts(4)), 2, axis=1)
    np.testing.assert_allclose(along_z[:, :4], 0.0, atol=1e-9)
    assert (along_z[0, 4:] > 0.99).all()
    assert (along_x[0, :4] < 0.06).all()
    assert (along_x[1, :4] > 0.5).all()


def test_the_class_is_the_side_of_the_critical_field() -> None:
    points = CHAIN.points(500, np.random.default_rng(0))
    fields = -points.coefficients[:, 1]
    assert fields[points.y == 0].max() <= 1 < fields[points.y == 1].min()
    assert 0.4 < points.y.mean() < 0.6

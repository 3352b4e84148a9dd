"""The XXZ chain against what is known of it."""

import numpy as np
import pytest

from qsynth.data.quantum.measurement import Floats, expectations
from qsynth.data.quantum.xxz import PINNING_FIELD, XXZChain

CHAIN = XXZChain()


def ground(n_qubits: int, *anisotropies: float) -> tuple[Floats, Floats]:
    """Energies and exact columns (without shot noise) at anisotropies."""
    coefficients = np.array([[1.0, each] for each in anisotropies])
    states = CHAIN.ground(n_qubits, coefficients)
    return CHAIN.energies(n_qubits, coefficients, states), expectations(states, CHAIN.readouts(n_qubits))


@pytest.mark.parametrize(
    ("n_qubits", "anisotropy", "energy"),
    [
        (6, -1.0, -5.0),  # the ferromagnet: -1 a bond
        (5, -2.5, -10.0),
        (4, 1.0, -3 - 2 * 3**0.5),  # Heisenberg's chain of four spins 1/2, in Pauli matrices
        (2, 1.0, -3.0),  # a singlet
        (6, 0.0, 4 * sum(np.cos(k * np.pi / 7) for k in range(1, 7) if np.cos(k * np.pi / 7) < 0)),  # free fermions
    ],
)
def test_energies_at_known_points(n_qubits: int, anisotropy: float, energy: float) -> None:
    assert ground(n_qubits, anisotropy)[0][0] == pytest.approx(energy, abs=PINNING_FIELD)


def test_phases_look_as_they_should() -> None:
    _, columns = ground(4, -1.1, 0.0, 3.0)
    z, zz, xx = columns[:, :4], columns[:, 4:7], columns[:, 11:]
    np.testing.assert_allclose(z[0], 1.0, atol=1e-5)
    np.testing.assert_allclose(zz[0], 1.0, atol=1e-5)
    assert (xx[1, [0, 2]] < -0.7).all()
    assert (zz[2] < zz[1]).all()
    assert (zz[2] < -0.6).all()
    assert (xx[2] > xx[1]).all()


def test_states_cross_at_the_border_of_the_ferromagnet() -> None:
    before, after = ground(6, -1.02, -0.98)[1][:, 6:11]
    assert before.min() > 0.99
    assert after.max() < 0.9


def test_the_class_is_the_phase_of_the_infinite_chain() -> None:
    points = CHAIN.points(900, np.random.default_rng(0))
    np.testing.assert_array_equal(points.y, np.digitize(points.coefficients[:, 1], [-1.0, 1.0]))
    assert np.bincount(points.y).min() > 250

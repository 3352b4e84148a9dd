"""Shots of measurements against exact expectations, of PennyLane too."""

import numpy as np
import pennylane as qp
import pytest

from qsynth.data.quantum.measurement import Readout, estimates, expectations, probabilities, sites_and_bonds
from qsynth.data.quantum.operators import along_chain, total, word_matrix

READOUTS = (
    Readout("ZZZ", ((0,), (1,), (0, 2))),
    Readout("XYZ", ((0,), (1,), (2,), (0, 1), (0, 1, 2))),
)


def random_states(n_rows: int, n_qubits: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    states = rng.normal(size=(n_rows, 2**n_qubits)) + 1j * rng.normal(size=(n_rows, 2**n_qubits))
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def test_expectations_are_pennylanes() -> None:
    states = random_states(3, 3)
    wanted = []
    for readout in READOUTS:
        for sites in readout.sites:
            matrix = qp.pauli.PauliWord({site: readout.basis[site] for site in sites}).to_mat(wire_order=range(3))
            wanted.append([(state.conj() @ matrix @ state).real for state in states])
    np.testing.assert_allclose(expectations(states, READOUTS), np.transpose(wanted), atol=1e-12)


def test_columns_are_named_by_what_is_read() -> None:
    assert READOUTS[1].names == ("x0", "y1", "z2", "x0y1", "x0y1z2")


@pytest.mark.parametrize("shots", [5, 80])
def test_estimates_lie_within_their_standard_error(shots: int) -> None:
    n_rows = 4000
    state = random_states(1, 3)
    found = estimates(np.repeat(state, n_rows, axis=0), READOUTS, shots, np.random.default_rng(1))
    exact = expectations(state, READOUTS)[0]
    error = np.sqrt((1 - exact**2) / shots)
    assert (np.abs(found.mean(axis=0) - exact) < 4.5 * error / np.sqrt(n_rows)).all()
    np.testing.assert_allclose(found.std(axis=0), error, rtol=0.08)


def test_errors_of_one_basis_go_together() -> None:
    """In |00> + |11> both qubits always give the same value along Z."""
    bell = np.repeat([[1.0, 0.0, 0.0, 1.0]], 50, axis=0) / np.sqrt(2)
    found = estimates(bell, [Readout("ZZ", ((0,), (1,), (0, 1)))], 10, np.random.default_rng(0))
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    np.testing.assert_array_equal(found[:, 2], 1.0)
    assert found[:, 0].std() > 0.1


def test_the_first_qubit_is_the_highest_bit() -> None:
    np.testing.assert_allclose(probabilities(np.eye(8)[[4]], "ZZZ"), np.eye(8)[[4]])
    assert expectations(np.eye(8)[[4]], [Readout("ZZZ", sites_and_bonds(3, ring=True))])[0].tolist() == [
        *(-1, 1, 1),
        *(-1, 1, -1),
    ]


def test_words_lie_along_chains_and_rings() -> None:
    assert along_chain("ZXZ", 4, ring=False) == ["ZXZI", "IZXZ"]
    assert along_chain("ZZ", 3, ring=True) == ["ZZI", "IZZ", "ZIZ"]
    assert along_chain("Z", 2, ring=False) == ["ZI", "IZ"]
    np.testing.assert_allclose(word_matrix("XYY"), qp.matrix(qp.X(0) @ qp.Y(1) @ qp.Y(2)).real)
    np.testing.assert_allclose(total(["ZI", "IZ"]), np.diag([2.0, 0.0, 0.0, -2.0]))

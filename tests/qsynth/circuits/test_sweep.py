"""Adiabatic sweeps against matrix exponentials, and against the ground state that they lead to."""

import numpy as np
import pennylane as qp
import pytest
import torch
from scipy.linalg import expm

from qsynth.circuits.statevector import StatevectorEngine
from qsynth.circuits.sweep import N_STEPS, STEP, sweep_angles, sweep_ansatz

WORDS = (("ZZI", "IZZ"), ("XII", "IXI", "IIX"))


def matrix(word: str) -> np.ndarray:
    return np.asarray(qp.matrix(qp.pauli.string_to_pauli_word(word), wire_order=range(len(word))))


def measured(coefficients: np.ndarray, readout: tuple[str, ...]) -> np.ndarray:
    engine = StatevectorEngine(sweep_ansatz(WORDS), 3, N_STEPS, readout=readout)
    angles = torch.as_tensor(sweep_angles(coefficients, 1), dtype=torch.float32)
    return engine.expectations(angles, torch.zeros(N_STEPS, 0), torch.ones(N_STEPS)).numpy()


def test_a_sweep_is_a_product_of_exponentials_of_its_terms() -> None:
    coefficients = np.array([-0.6, -0.4])
    terms = [sum(matrix(word) for word in words) for words in WORDS]
    state = np.full(8, 8**-0.5, dtype=complex)
    for step in range(N_STEPS):
        s = (step + 0.5) / N_STEPS
        for term, weight in zip(terms, (1 - s) * np.array([0, -1]) + s * coefficients, strict=True):
            state = expm(-1j * STEP * weight * term) @ state
    words = ("ZZI", "XII", "YYI", "ZIZ")
    wanted = [(state.conj() @ matrix(word) @ state).real for word in words]
    np.testing.assert_allclose(measured(coefficients[None], words)[0], wanted, atol=1e-5)


@pytest.mark.parametrize("field", [0.3, 1.0, 1.8])
def test_it_leads_near_the_ground_state(field: float) -> None:
    """At least four fifths of what the sweep began above the ground state's energy are gone in the end."""
    coefficients = np.array([[-1.0, -field]])
    hamiltonian = -matrix("ZZI") - matrix("IZZ") - field * sum(matrix(word) for word in WORDS[1])
    lowest, began = np.linalg.eigvalsh(hamiltonian)[0], -3 * field
    words = (*WORDS[0], *WORDS[1])
    energy = measured(coefficients, words)[0] @ np.repeat([-1.0, -field], [2, 3])
    assert lowest - 1e-4 < energy < began - 0.8 * (began - lowest)


def test_a_sweep_to_where_it_begins_changes_nothing() -> None:
    np.testing.assert_allclose(measured(np.array([[0.0, -1.0]]), WORDS[1]), 1.0, atol=1e-5)

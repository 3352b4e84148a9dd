"""The eigensolver's circuit against PennyLane, and what it finds against exact energies."""

import numpy as np
import pennylane as qp
import torch

from qsynth.data.quantum.ising import IsingChain, at_fields
from qsynth.data.quantum.vqe import N_LAYERS, ansatz_states, found_angles


def test_states_are_pennylanes() -> None:
    angles = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3, 3)))

    @qp.qnode(qp.device("default.qubit", wires=3))
    def circuit(of_row: np.ndarray) -> object:
        for layer, of_layer in enumerate(of_row):
            if layer:
                qp.CZ([0, 1])
                qp.CZ([1, 2])
            for wire, angle in enumerate(of_layer):
                qp.RY(angle, wire)
        return qp.state()

    expected = [circuit(row) for row in angles.numpy()]
    np.testing.assert_allclose(ansatz_states(angles).numpy(), expected, atol=1e-12)


def test_it_finds_nearly_the_ground_state_and_never_less() -> None:
    chain, coefficients = IsingChain(), at_fields(np.linspace(0.1, 2.0, 60))
    exact = chain.energies(4, coefficients, chain.ground(4, coefficients))
    angles = found_angles(chain.terms(4), coefficients, (0, 0, 0, 0), np.random.default_rng(0))
    states = ansatz_states(torch.from_numpy(angles.reshape(60, N_LAYERS, 4))).numpy()
    excess = (chain.energies(4, coefficients, states) - exact) / np.abs(exact)
    assert excess.min() > -1e-12
    assert excess.mean() < 0.015
    assert excess.max() < 0.1


def test_beginnings_matter() -> None:
    chain, coefficients = IsingChain(), at_fields(np.full(8, 1.5))
    angles = found_angles(chain.terms(4), coefficients, (0, 0, 0, 0), np.random.default_rng(0))
    assert angles.shape == (8, 4 * N_LAYERS)
    assert angles.std(axis=0).max() > 0.1

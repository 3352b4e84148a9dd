"""Expectation values of Pauli strings."""

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.readout import READOUTS, PauliExpectations
from qsynth.circuits.statevector import StatevectorEngine


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(words=st.lists(st.text("IXYZ", min_size=3, max_size=3), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_any_strings_in_any_order(words: list[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    states = random.normal(size=(2, 8)) + 1j * random.normal(size=(2, 8))
    rows = torch.tensor(np.concatenate([states.real, states.imag], axis=1), requires_grad=True)
    found = PauliExpectations(tuple(words), 3, torch.float64)(rows)
    for column, word in enumerate(words):
        operator = (
            qp.matrix(qp.pauli.string_to_pauli_word(word), wire_order=range(3)) if set(word) != {"I"} else np.eye(8)
        )
        wanted = np.einsum("bi,ij,bj->b", states.conj(), operator, states).real
        np.testing.assert_allclose(found[:, column].detach(), wanted, atol=1e-10)
    [gradient] = torch.autograd.grad(found.sum(), rows)
    torch.testing.assert_close((gradient * rows).sum(), 2 * found.sum())  # Euler: expectations are quadratic forms


@pytest.mark.parametrize("readout", sorted(READOUTS))
@pytest.mark.parametrize("n_qubits", [1, 3, 8])
def test_engines_agree(readout: str, n_qubits: int) -> None:
    ansatz = ANSAETZE["strongly_entangling"]
    random = torch.Generator().manual_seed(n_qubits)
    inputs = torch.randn(2, n_qubits, generator=random, dtype=torch.float64)
    weights = torch.randn(2, 3 * n_qubits, generator=random, dtype=torch.float64)
    on = torch.ones(2, dtype=torch.float64)
    ours = StatevectorEngine(ansatz, n_qubits, 2, torch.float64, readout)
    theirs = PennyLaneEngine(ansatz, n_qubits, 2, "default.qubit", readout=readout)
    found = ours.expectations(inputs, weights, on)
    assert found.shape == (2, ours.n_outputs) == (2, theirs.n_outputs) == (2, len(READOUTS[readout].words(n_qubits)))
    torch.testing.assert_close(found, theirs.expectations(inputs, weights, on), rtol=0, atol=1e-10)


def test_z_and_x_of_each_qubit() -> None:
    assert READOUTS["z"].words(3) == ("ZII", "IZI", "IIZ")
    assert READOUTS["zx"].words(2) == ("ZI", "IZ", "XI", "IX")

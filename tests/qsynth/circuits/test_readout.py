"""Expectation values of Pauli strings."""

import numpy as np
import pennylane as qp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.readout import READOUTS, PauliExpectations, PauliStrings, PauliWords, find_readout
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError


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


@pytest.mark.parametrize("readout", [*sorted(READOUTS), ("ZXY", "IYY", "IIX")], ids=str)
@pytest.mark.parametrize("n_qubits", [1, 3, 8])
def test_engines_agree(readout: str | PauliWords, n_qubits: int) -> None:
    if isinstance(readout, tuple):
        readout = tuple((word * 3)[-n_qubits:] for word in readout)
    ansatz = ANSAETZE["strongly_entangling"]
    random = torch.Generator().manual_seed(n_qubits)
    inputs = torch.randn(2, n_qubits, generator=random, dtype=torch.float64)
    weights = torch.randn(2, 3 * n_qubits, generator=random, dtype=torch.float64)
    on = torch.ones(2, dtype=torch.float64)
    ours = StatevectorEngine(ansatz, n_qubits, 2, torch.float64, readout)
    theirs = PennyLaneEngine(ansatz, n_qubits, 2, "default.qubit", readout=readout)
    found = ours.expectations(inputs, weights, on)
    n_outputs = find_readout(readout, n_qubits).n_outputs(n_qubits)
    assert found.shape == (2, ours.n_outputs) == (2, theirs.n_outputs) == (2, n_outputs)
    torch.testing.assert_close(found, theirs.expectations(inputs, weights, on), rtol=0, atol=1e-10)


def test_z_and_x_of_each_qubit() -> None:
    z, zx = READOUTS["z"], READOUTS["zx"]
    assert isinstance(z, PauliStrings)
    assert isinstance(zx, PauliStrings)
    assert z.words(3) == ("ZII", "IZI", "IIZ")
    assert zx.words(2) == ("ZI", "IZ", "XI", "IX")


def test_probabilities_are_in_the_order_of_the_basis_states() -> None:
    """Flipping wire 1 of 3 makes state 010, the third; wire 0 is most significant."""
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 3, 1, torch.float64, "probabilities")
    inputs = torch.tensor([[0, np.pi, 0]], dtype=torch.float64)
    found = engine.expectations(inputs, torch.zeros(1, 6, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    expected = torch.full((1, 8), -1.0, dtype=torch.float64)
    expected[0, 2] = 1
    torch.testing.assert_close(found, expected)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(words=st.lists(st.text("IXYZ", min_size=4, max_size=4).filter(lambda w: w != "IIII"), min_size=1, max_size=8))
def test_every_string_is_read_in_one_basis_that_has_its_letters(words: list[str]) -> None:
    bases = find_readout(tuple(words), 4).bases(4, torch.float64)
    assert sorted(place for basis in bases for place in basis.places) == list(range(len(words)))
    for basis in bases:
        for place in basis.places:
            assert all(letter in ("I", read) for letter, read in zip(words[place], basis.letters, strict=True))
    assert len({basis.letters for basis in bases}) == len(bases)


def test_strings_that_commute_on_every_wire_share_a_basis() -> None:
    assert len(READOUTS["z"].bases(5, torch.float32)) == 1
    assert len(READOUTS["zx"].bases(5, torch.float32)) == 2
    found = find_readout(("XYZ", "ZZI", "IYZ", "YII", "IIX"), 3).bases(3, torch.float32)
    assert [(basis.letters, basis.places) for basis in found] == [("XYZ", [0, 2]), ("ZZX", [1, 4]), ("YII", [3])]


@pytest.mark.parametrize("words", [(), ("ZI",), ("ZII", "ZIII"), ("ZIA",), ("zii",), ("III",)], ids=str)
def test_what_is_no_pauli_string_is_refused(words: PauliWords) -> None:
    with pytest.raises(QsynthError, match="readout must be a name, or Pauli strings with one letter of I, X, Y, Z"):
        find_readout(words, 3)

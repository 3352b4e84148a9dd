"""A generator that others trained, in our engines."""

import numpy as np
import pytest
import torch

from qsynth.circuits.circuit import Circuit
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.statevector import StatevectorEngine
from tests.qsynth.circuits.qiskit_finance import (
    ANSATZ,
    N_QUBITS,
    PAYOFF,
    initial_probabilities,
    payoff,
    probabilities,
)


def engine(name: str) -> Circuit:
    if name == "statevector":
        return StatevectorEngine(ANSATZ, N_QUBITS, 1, dtype=torch.float64, readout="probabilities")
    return PennyLaneEngine(ANSATZ, N_QUBITS, 1, name, readout="probabilities")


@pytest.mark.parametrize("name", ["statevector", "default.qubit"])
def test_payoff_is_the_published_one(name: str) -> None:
    found = probabilities(engine(name))
    assert found.sum() == pytest.approx(1)
    assert round(payoff(found), 4) == PAYOFF
    assert round(payoff(initial_probabilities()), 4) != PAYOFF


def test_engines_agree() -> None:
    first, second = (probabilities(engine(name)) for name in ("statevector", "default.qubit"))
    np.testing.assert_allclose(first, second, atol=1e-10)

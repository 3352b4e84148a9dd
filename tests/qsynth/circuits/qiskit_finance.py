"""A trained generator from the tutorial "Option pricing with qGANs" of qiskit-finance, with its published payoff.

Three qubits start in a normal distribution N(1, 1) over 0..7 (amplitudes are roots of probabilities), then come RY
rotations, CZ gates in a circle, and RY rotations, with the angles that training found. Measured outcomes are the price
of a stock; a European call option with strike price 2 pays what it is above that.
"""

from typing import Any

import numpy as np
import pennylane as qp
import torch
from numpy.typing import NDArray
from scipy import stats

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.circuit import Circuit
from qsynth.circuits.encoder import NONE

N_QUBITS, STRIKE = 3, 2.0
ANGLES = (0.29399714, 0.38853322, 0.9557694, 0.07245791, 6.02626428, 0.13537225)
PAYOFF = 0.9805
VALUES = np.arange(2.0**N_QUBITS)


def initial_probabilities() -> NDArray[np.float64]:
    """N(1, 1) at 0..7, which sum to one."""
    density = stats.norm(1, 1).pdf(VALUES)
    return np.asarray(density / density.sum())


def _layer(_index: int, inputs: Any, _weights: Any, n_qubits: int) -> None:
    qp.MottonenStatePreparation(np.sqrt(initial_probabilities()), wires=range(n_qubits))
    # Qiskit's qubit 0 is the lowest bit; PennyLane's wire 0 is the highest.
    wires = list(reversed(range(n_qubits)))
    for wire, angle in zip(wires, inputs[:n_qubits], strict=True):
        qp.RY(angle, wires=wire)
    for control, target in ((2, 0), (0, 1), (1, 2)):
        qp.CZ(wires=[wires[control], wires[target]])
    for wire, angle in zip(wires, inputs[n_qubits:], strict=True):
        qp.RY(angle, wires=wire)


ANSATZ = Ansatz(
    name="qiskit_finance", layer=_layer, n_layer_weights=lambda _: 0, encoder=NONE, n_layer_inputs=lambda n: 2 * n
)


def probabilities(circuit: Circuit) -> NDArray[np.float64]:
    """Of 0..7, by an engine of :data:`ANSATZ` with one layer and readout ``probabilities``."""
    angles = torch.tensor([ANGLES], dtype=torch.float64)
    made = circuit.expectations(angles, angles.new_zeros(1, 0), angles.new_ones(1))
    return (made[0].numpy() + 1) / 2


def payoff(of_values: NDArray[np.float64]) -> float:
    """The option's mean payoff under probabilities of 0..7."""
    return float(of_values @ np.maximum(VALUES - STRIKE, 0.0))

"""Circuits that prepare ground states by an adiabatic sweep in small steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pennylane as qp
from numpy.typing import NDArray

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.encoder import NONE

Floats = NDArray[np.float64]
Words = Sequence[str]

N_STEPS = 16
STEP = 0.4  # of time, in the inverse of the Hamiltonian's unit


def sweep_ansatz(terms: Sequence[Words]) -> Ansatz:
    """One step of the sweep as a layer, with one input for each term: the angle of all of the term's rotations.

    The first layer begins with a Hadamard gate on every qubit, which makes the ground state of ``-sum_i X_i``:

        0: -H-[R(word, angle) of each word of each term]-
        1: -H-[ ...                                     ]-

    Args:
        terms: the Pauli words whose sum each term of the Hamiltonian is, such as ``("ZZI", "IZZ")``.
    """

    def layer(index: int, inputs: Any, _weights: Any, n_qubits: int) -> None:
        if index == 0:
            for wire in range(n_qubits):
                qp.Hadamard(wires=wire)
        for place, words in enumerate(terms):
            for word in words:
                letters = {wire: letter for wire, letter in enumerate(word) if letter != "I"}
                qp.PauliRot(inputs[index * len(terms) + place], "".join(letters.values()), wires=list(letters))

    return Ansatz(
        name="sweep", layer=layer, n_layer_weights=lambda _: 0, encoder=NONE, n_layer_inputs=lambda _: len(terms)
    )


def sweep_angles(coefficients: Floats, driver: int) -> Floats:
    """Inputs (rows x (steps terms)) that lead from ``-sum_i X_i`` to Hamiltonians ``H = sum_k c_k T_k``.

    The absolute values of c are scaled to sum one, which changes no ground state. At step l of L the Hamiltonian is
    ``(1 - s) T + s H`` with ``s = (l + 1/2) / L``, where T is the driver, and time ``STEP`` passes; a rotation's angle
    is twice its coefficient times the time (first-order Trotter formula).

    Args:
        coefficients: c, rows x terms.
        driver: which of the terms is the sum of all X.
    """
    begin = np.zeros(coefficients.shape[1])
    begin[driver] = -1.0
    s = ((np.arange(N_STEPS) + 0.5) / N_STEPS)[None, :, None]
    sums = np.abs(coefficients).sum(axis=1, keepdims=True)
    scaled = coefficients / np.where(np.isclose(sums, 1), 1, sums)
    path = (1 - s) * begin + s * scaled[:, None, :]
    return np.asarray((2 * STEP * path).reshape(len(coefficients), -1))

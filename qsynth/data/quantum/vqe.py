"""Angles that variational eigensolvers find."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qsynth.data.quantum.measurement import Floats

N_LAYERS = 3
N_STEPS = 100
STEP_SIZE = 0.1
START_SPREAD = 0.5  # rad

_CHUNK = 1 << 17  # amplitudes of the rows that run at a time, of which gradients keep about a hundred copies


def found_angles(terms: Floats, coefficients: Floats, reference: Sequence[int], rng: np.random.Generator) -> Floats:
    """Angles at which the ansatz below has little energy ``<sum_k c_k T_k>``, one run of Adam for each row c.

    Every layer turns each qubit about Y by an angle; between layers a chain of CZ entangles neighbours:

        0: -RY-o-----RY-o-----RY-
        1: -RY-o-o---RY-o-o---RY-
        2: -RY---o-o-RY---o-o-RY-
        3: -RY-----o-RY-----o-RY-

    Each run begins at its own angles, normal with a spread of 0.5 rad about those that make a basis state, and takes
    100 steps of the exact gradient with a step size of 0.1. Where it ends tells of its Hamiltonian and of its
    beginning, which is what keeps the classes from being plain. All states are real, and so are all products.

    Args:
        terms: terms x 2^n x 2^n, symmetric.
        coefficients: rows x terms.
        reference: the bits of that basis state.
        rng: of the beginnings.

    Returns:
        rows x (layers n) angles in rad, layer by layer.
    """
    n_qubits = int(terms.shape[-1]).bit_length() - 1
    start = START_SPREAD * rng.normal(size=(len(coefficients), N_LAYERS, n_qubits))
    start[:, -1] += np.pi * np.array(reference)
    size = max(1, _CHUNK >> n_qubits)
    parts = [slice(begin, begin + size) for begin in range(0, len(start), size)]
    found = [_descended(torch.from_numpy(start[p]), torch.from_numpy(coefficients[p]), terms) for p in parts]
    return np.concatenate(found).reshape(len(coefficients), -1)


def _descended(angles: Tensor, weights: Tensor, terms: Floats) -> Floats:
    """Where Adam ends, as found_angles has it, from angles (rows x layers x n)."""
    angles.requires_grad_()
    of_terms = torch.from_numpy(terms)
    adam = torch.optim.Adam([angles], lr=STEP_SIZE)
    for _ in range(N_STEPS):
        states = ansatz_states(angles)
        energies = torch.stack([((states @ term) * states).sum(dim=1) for term in of_terms], dim=1)
        adam.zero_grad()
        (weights * energies).sum().backward()
        adam.step()
    return np.asarray(angles.detach().numpy())


def ansatz_states(angles: Tensor) -> Tensor:
    """States (rows x 2^n) that the ansatz makes of ``|0...0>`` with angles (rows x layers x n)."""
    n_rows, n_layers, n_qubits = angles.shape
    cosines, sines = torch.cos(angles / 2), torch.sin(angles / 2)
    states = torch.zeros(n_rows, 2**n_qubits, dtype=angles.dtype)
    states[:, 0] = 1.0
    signs = _entangler_signs(n_qubits).to(angles.dtype)
    for layer in range(n_layers):
        if layer:
            states = states * signs
        for wire in range(n_qubits):
            zero, one = states.view(n_rows, 2**wire, 2, -1).unbind(dim=2)
            c, s = cosines[:, layer, wire, None, None], sines[:, layer, wire, None, None]
            states = torch.stack([c * zero - s * one, s * zero + c * one], dim=2).reshape(n_rows, -1)
    return states


def _entangler_signs(n_qubits: int) -> Tensor:
    """What CZ on each pair of neighbours multiplies the 2^n amplitudes with."""
    bits = torch.arange(2**n_qubits)[:, None] >> torch.arange(n_qubits - 1, -1, -1) & 1
    return 1 - 2 * ((bits[:, 1:] * bits[:, :-1]).sum(dim=1) % 2)

"""Ground states of many Hamiltonians that are sums of the same terms."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Floats = NDArray[np.float64]

_SMALL = 32  # states of a Hamiltonian, up to which many at a time are quicker
_CHUNK = 1 << 21  # numbers in the Hamiltonians that are held at a time


def ground_states(terms: Floats, coefficients: Floats) -> Floats:
    """The ground state of ``sum_k c_k T_k`` for each row c, by exact diagonalisation.

    Args:
        terms: terms x size x size, symmetric.
        coefficients: rows x terms.

    Returns:
        rows x size amplitudes, of norm one; their signs have no meaning.
    """
    n_rows, size = len(coefficients), terms.shape[-1]
    step = max(1, _CHUNK // size**2)
    states = np.empty((n_rows, size))
    for begin in range(0, n_rows, step):
        part = slice(begin, begin + step)
        hamiltonians = np.tensordot(coefficients[part], terms, axes=1)
        if size <= _SMALL:
            states[part] = np.linalg.eigh(hamiltonians)[1][..., 0]
        else:
            states[part] = [eigh(each, subset_by_index=(0, 0), check_finite=False)[1][:, 0] for each in hamiltonians]
    return states


def energies(terms: Floats, coefficients: Floats, states: Floats) -> Floats:
    """The expectation of ``sum_k c_k T_k`` in each row's state (rows x size), one number a row."""
    of_terms = np.stack([((states @ term) * states).sum(axis=1) for term in terms], axis=1)
    return np.asarray((coefficients * of_terms).sum(axis=1))

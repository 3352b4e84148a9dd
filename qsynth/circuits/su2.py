"""Single-qubit unitaries as four real numbers, so that their products are small real matrix products.

A rotation exp(-i t/2 (n . sigma)) is cos(t/2) I - i sin(t/2) (n_x X + n_y Y + n_z Z): a unit quaternion. Products of
rotations are bilinear in the four coefficients of (I, -iX, -iY, -iZ).
"""

import numpy as np

_X, _Y, _Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]])
BASIS = np.stack([np.eye(2), -1j * _X, -1j * _Y, -1j * _Z])
_HALF = 0.5**0.5

# The axis about which each rotation turns, and gates that are rotations by a fixed angle (up to a global phase).
AXES = {"RX": (1.0, 0.0, 0.0), "RY": (0.0, 1.0, 0.0), "RZ": (0.0, 0.0, 1.0)}
CONSTANT = {
    "PauliX": (AXES["RX"], np.pi),
    "PauliY": (AXES["RY"], np.pi),
    "PauliZ": (AXES["RZ"], np.pi),
    "Hadamard": ((_HALF, 0.0, _HALF), np.pi),
    "S": (AXES["RZ"], np.pi / 2),
    "T": (AXES["RZ"], np.pi / 4),
    "SX": (AXES["RX"], np.pi / 2),
}

# 4 x 8: coefficients to the real, then the imaginary part of the 2 x 2 matrix, both row by row.
TO_MATRIX = np.concatenate([BASIS.real.reshape(4, 4), BASIS.imag.reshape(4, 4)], axis=1)
# 16 x 4: the outer product of two elements' coefficients to the coefficients of their matrix product.
PRODUCT = np.einsum("kba,ibc,jca->ijk", BASIS.conj(), BASIS, BASIS).real.reshape(16, 4) / 2

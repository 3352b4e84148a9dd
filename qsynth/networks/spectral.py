"""Spectral normalisation as a pure function."""

import torch
from torch import Tensor

SQUARINGS = 6
TINY = 1e-12


def spectral_norm(matrix: Tensor) -> Tensor:
    """The largest singular value of a matrix (n x m), from above by at most a factor min(n, m)^(1/128).

    It is (tr (W W^T)^64)^(1/128), by six squarings. Deviation: Miyato et al. 2018 (section 2.1) iterate from a random
    vector that they keep between updates, which is an estimate from below and a state; this is neither, so a layer that
    is divided by it is 1-Lipschitz always.
    """
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    logarithm = torch.zeros((), dtype=matrix.dtype)
    for squaring in range(SQUARINGS + 1):
        gram = gram @ gram if squaring else gram
        trace = gram.diagonal().sum().clamp(min=TINY)
        gram, logarithm = gram / trace, logarithm + torch.log(trace) / 2 ** (squaring + 1)
    return torch.exp(logarithm)


def normalised(matrix: Tensor) -> Tensor:
    """A matrix or vector divided by its :func:`spectral_norm`."""
    return matrix / spectral_norm(matrix if matrix.ndim == 2 else matrix[None])

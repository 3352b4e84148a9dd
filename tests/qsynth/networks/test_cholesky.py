"""The Cholesky factor is LAPACK's, and a matrix that rounding errors spoil has one too."""

import torch
from torch.func import vmap

from qsynth.networks.cholesky import cholesky


def test_the_factor_is_lapacks() -> None:
    half = torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    matrices = half @ half.mT + 0.1 * torch.eye(5)
    found = vmap(cholesky)(matrices)
    torch.testing.assert_close(found, torch.linalg.cholesky(matrices), rtol=1e-4, atol=1e-5)


def test_a_singular_matrix_has_one_nearly() -> None:
    half = 100 * torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    matrix = half @ half.T
    factor = cholesky(matrix)
    torch.testing.assert_close(factor @ factor.T, matrix, rtol=0, atol=1e-3 * float(matrix.abs().max()))

"""The Cholesky factor of small matrices, of operations that compile on every device."""

import torch
from torch import Tensor

LEAST_PIVOT = 1e-6  # of a diagonal entry


def cholesky(matrix: Tensor) -> Tensor:
    """Lower triangular L (... x n x n) with L L^T the positive definite ``matrix`` (... x n x n), a column at a time
    [Golub & Van Loan 2013, section 4.2.5].

    Where rounding errors exceed what is left of a diagonal entry, L L^T is larger there.
    """
    least, columns = LEAST_PIVOT * torch.diagonal(matrix, dim1=-2, dim2=-1), []
    for index in range(matrix.shape[-1]):
        pivot = torch.maximum(matrix[..., index, index], least[..., index])
        column = matrix[..., index] / torch.sqrt(pivot)[..., None]
        matrix = matrix - column[..., :, None] * column[..., None, :]
        columns.append(column)
    return torch.stack(columns, dim=-1).tril()

"""Matrix products with a narrow side."""

from torch import Tensor

NARROW = 8


def narrow_matmul(rows: Tensor, matrix: Tensor) -> Tensor:
    """``rows @ matrix``, n x k times k x m.

    Where k or m is small, libraries' products are several times slower than sums of products in a compiled kernel,
    which also joins them with what comes before and after.
    """
    if matrix.shape[0] <= NARROW:
        return (rows[:, :, None] * matrix).sum(dim=1)
    if matrix.shape[1] <= NARROW:
        return (rows[:, None, :] * matrix.T).sum(dim=2)
    return rows @ matrix

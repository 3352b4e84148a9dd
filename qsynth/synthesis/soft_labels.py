"""Labels that are probabilities, and the weights of rows that have them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Number = TypeVar("Number", np.float32, np.float64)


def soft_labels(x: NDArray[Number], y: NDArray[np.int64], n_classes: int, rows: NDArray[Number]) -> NDArray[Number]:
    """What a logistic regression on real rows, classes weighted equally, says of other rows; ``n x n_classes``.

    Args:
        x: real rows (``m x d``) of classes ``y`` (``m``), two of them at least.
        rows: ``n x d``.
    """
    model = LogisticRegression(max_iter=1000, class_weight="balanced").fit(x, y)
    found = np.zeros((len(rows), n_classes), dtype=rows.dtype)
    found[:, model.classes_] = model.predict_proba(rows)
    return found


def equal_classes(targets: NDArray[Number]) -> NDArray[Number]:
    """Weights (``n``, of sum 1) in which every class of the targets (``n x n_classes``) that there is has the same."""
    sums = targets.sum(axis=0)
    weight = (targets / np.where(sums > 0, sums, 1)).sum(axis=1)
    return np.asarray(weight / weight.sum(), dtype=targets.dtype)

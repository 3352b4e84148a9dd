"""What a QNN is fitted on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qsynth.data.dataset import Split
from qsynth.synthesis.soft_labels import equal_classes

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingSet:
    """Weighted rows with labels that may be soft.

    Attributes:
        x: ``n x d`` in the scaled space.
        targets: ``n x n_classes``, each row of sum 1.
        weight: ``n``, of sum 1.
        stops_early: whether two folds of the rows say after how many steps to stop; for real rows only.
    """

    x: Floats
    targets: Floats
    weight: Floats
    stops_early: bool = False


def onehot(labels: NDArray[np.int64], n_classes: int) -> Floats:
    """``n x n_classes``."""
    return np.eye(n_classes, dtype=np.float32)[labels]


def real_rows(split: Split, n_classes: int, *, weighted: bool, stops_early: bool) -> TrainingSet:
    """Real rows alone, each with the same weight or each class with the same."""
    targets = onehot(split.y, n_classes)
    alike = np.full(len(split), 1 / len(split), dtype=np.float32)
    return TrainingSet(
        x=split.x, targets=targets, weight=equal_classes(targets) if weighted else alike, stops_early=stops_early
    )


def beside(real: Split, x: Floats, targets: Floats, share: float) -> TrainingSet:
    """Real rows and synthetic ones, which have ``share`` of the weight; in both every class has the same."""
    own = onehot(real.y, targets.shape[1])
    weights = [(1 - share) * equal_classes(own), share * equal_classes(targets)]
    return TrainingSet(
        x=np.concatenate([real.x, x]), targets=np.concatenate([own, targets]), weight=np.concatenate(weights)
    )


def joined(first: Split, second: Split) -> Split:
    """Both, the rows of a class one after another, so that every other row is half of each class."""
    x, y = np.concatenate([first.x, second.x]), np.concatenate([first.y, second.y])
    order = np.argsort(y, kind="stable")
    return Split(x[order], y[order])

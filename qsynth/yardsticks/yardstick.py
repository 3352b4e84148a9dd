"""What a yardstick is, and what most of them have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qsynth.data.dataset import Instance, Split

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


class Fitted(Protocol):
    """A yardstick that has seen an instance."""

    def sample(self, labels: Labels, seed: int) -> NDArray[np.float32]:
        """Rows (``n x d``, in the generator's scaled space, clipped nowhere) for class indices (``n``)."""
        ...


class Yardstick(Protocol):
    """A way to make rows of an instance."""

    @property
    def name(self) -> str:
        """What reports call it, and what it is registered under."""
        ...

    @property
    def about(self) -> str:
        """What it does, in words."""
        ...

    @property
    def ceiling(self) -> bool:
        """Whether it has real rows that nobody else has: what can be hoped for, and no rival."""
        ...

    def fit(self, instance: Instance, seed: int) -> Fitted:
        """Learn from the training rows, and choose by the validation rows where there is something to choose."""
        ...


class Law(Protocol):
    """What makes rows of one class."""

    def sample(self, n: int, random: np.random.Generator) -> Floats:
        """``n x d`` rows."""
        ...


@dataclass(frozen=True)
class ByClass:
    """A law for each class.

    Attributes:
        laws: in the order of the class indices.
    """

    laws: tuple[Law, ...]
    n_features: int

    @classmethod
    def of(cls, instance: Instance, law: Callable[[int], Law]) -> "ByClass":
        """From what makes the law of a class index."""
        return cls(tuple(law(label) for label in range(instance.n_classes)), instance.n_features)

    def sample(self, labels: Labels, seed: int) -> NDArray[np.float32]:
        """Rows for labels; those of a class do not depend on how many others are asked for."""
        rows = np.zeros((len(labels), self.n_features), dtype=np.float32)
        for label in np.unique(labels):
            mine = labels == label
            rows[mine] = self.laws[label].sample(int(mine.sum()), np.random.default_rng([seed, int(label)]))
        return rows


def class_rows(split: Split, label: int) -> Floats:
    """The rows of a class (``n x d`` float64); all rows, where it has none."""
    mine = split.y == label
    return np.asarray(split.x[mine] if mine.any() else split.x, dtype=np.float64)


def pooled_covariance(instance: Instance) -> Floats:
    """Covariance of the training rows about the means of their classes, ``d x d``."""
    x, y = instance.train.x.astype(np.float64), instance.train.y
    means = np.stack([class_rows(instance.train, label).mean(axis=0) for label in range(instance.n_classes)])
    centred = x - means[y]
    return np.asarray(centred.T @ centred / max(1, len(x) - len(np.unique(y))))

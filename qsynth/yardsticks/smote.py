"""Synthetic minority over-sampling."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from qsynth.data.dataset import Instance
from qsynth.yardsticks.yardstick import ByClass, Floats, class_rows

NEIGHBOURS = 5


@dataclass(frozen=True)
class Segments:
    """Points between rows and their neighbours.

    Attributes:
        rows: ``n x d``.
        neighbours: ``n x k`` indices of rows.
    """

    rows: Floats
    neighbours: np.ndarray

    @classmethod
    def of(cls, rows: Floats) -> "Segments":
        """Between each row and its nearest five, or as many as there are; a row that is alone is its own neighbour."""
        k = min(NEIGHBOURS, len(rows) - 1)
        if not k:
            return cls(rows, np.zeros((1, 1), dtype=np.int64))
        _, found = KDTree(rows).query(rows, k=k + 1)
        # Of rows that are equal, any may come first.
        own = found == np.arange(len(rows))[:, None]
        own[~own.any(axis=1), -1] = True
        return cls(rows, found[~own].reshape(len(rows), k))

    def sample(self, n: int, random: np.random.Generator) -> Floats:
        """``n x d`` rows."""
        origin = random.integers(len(self.rows), size=n)
        chosen = random.integers(self.neighbours.shape[1], size=n)
        start, end = self.rows[origin], self.rows[self.neighbours[origin, chosen]]
        return np.asarray(start + random.uniform(size=(n, 1)) * (end - start))


class Smote:
    """Rows somewhere between a training row and one of its five nearest neighbours of the same class [Chawla, Bowyer,
    Hall & Kegelmeyer 2002]."""

    name = "SMOTE"
    about = "between a training row and one of its 5 nearest of its class"
    ceiling = False

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Learn from the training rows; nothing is random."""
        return ByClass.of(instance, lambda label: Segments.of(class_rows(instance.train, label)))

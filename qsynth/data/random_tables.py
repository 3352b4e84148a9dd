"""What families of random labelled tables have in common."""

from abc import abstractmethod
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.data.dataset import log_uniform
from qsynth.data.table import Table
from qsynth.data.tabular import TabularConfig
from qsynth.tables.schema import UNLABELLED


class RandomTables(TabularConfig):
    """Another table for every instance.

    Attributes:
        n_columns: columns of the table, before principal components.
        n_classes: its classes.
    """

    kind: str
    n_columns: Annotated[int, Field(ge=1, le=100)]
    n_classes: Annotated[int, Field(ge=1, le=16)]

    @property
    def width(self) -> int:
        return self.n_columns if self.n_features is None else min(self.n_features, self.n_columns)

    def table(self) -> Table:
        """The table of the first held-out instance, as an example."""
        return self.table_of(0, held_out=True)

    def table_of(self, seed: int, held_out: bool) -> Table:
        n_rows = round(2 * self.n_train / (1.0 - self.validation_share - self.test_share)) + 4 * self.n_classes
        return self.drawn(n_rows, seed, held_out)

    @abstractmethod
    def drawn(self, n_rows: int, seed: int, held_out: bool) -> Table:
        """A table of so many rows.

        Raises:
            QsynthError: a negative seed.
        """


def class_counts(rng: np.random.Generator, n_classes: int, n_rows: int, smallest: float) -> NDArray[np.int64]:
    """Rows of each class, at random (Dirichlet).

    Every class has a row for each of the four parts of an instance at least.

    Args:
        smallest: least share of a class, over an equal one.
    """
    shares = np.maximum(rng.dirichlet(np.full(n_classes, log_uniform(rng, 2.0, 20.0))), smallest / n_classes)
    return np.asarray(4 + rng.multinomial(n_rows - 4 * n_classes, shares / shares.sum()))


def labelled(x: NDArray[np.float64], counts: NDArray[np.int64]) -> Table:
    """Rows (``n x columns``), those of each class after those of the one before, as a table; one class has no label."""
    n_classes = len(counts)
    return Table(
        x=x,
        y=np.repeat(np.arange(n_classes), counts),
        feature_names=tuple(f"column_{index}" for index in range(x.shape[1])),
        class_names=tuple(f"class_{index}" for index in range(n_classes)) if n_classes > 1 else UNLABELLED,
    )

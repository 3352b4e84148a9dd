"""Rows that a learner may ask for the classes of."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Split
from qsynth.experiment.task import Task

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

START_OF_A_CLASS = 2  # rows, one for each fold
_START = 11  # stream of random numbers


class Pool(Protocol):
    """What one learner may query; a place is one row, or what a row would be measured at."""

    @property
    def n_classes(self) -> int:
        """Of the classes."""
        ...

    @property
    def test(self) -> Split:
        """Rows to test on, none of the pool."""
        ...

    @property
    def size(self) -> int:
        """How many places there are."""
        ...

    @property
    def spent(self) -> Spend:
        """Circuits and shots that queries took so far."""
        ...

    def start(self) -> Places:
        """What every learner is given to begin with, two places a class."""
        ...

    def query(self, places: Places) -> Split | None:
        """Rows with their classes, in the order of ``places``; None, and nothing spent, if the budget is too small."""
        ...

    def guesses(self, known: Places, rows: Split, places: Places) -> Floats:
        """The rows at ``places`` as far as one knows them who has ``rows`` at ``known``; places x d."""
        ...


@dataclass(frozen=True, eq=False)
class TablePool:
    """The rows to train on of a task; they are known, and a query shows a row's class.

    Scaling and principal components are learned from all of them, as that takes no class.
    """

    task: Task

    @property
    def n_classes(self) -> int:
        """Of the classes."""
        return self.task.instance.n_classes

    @property
    def test(self) -> Split:
        """The test rows of the task."""
        return self.task.instance.test

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.task.instance.train)

    @property
    def spent(self) -> Spend:
        """Nothing: rows of a table have been measured."""
        return Spend()

    def start(self) -> Places:
        """Two rows a class."""
        return starting_places(self.task.instance.train.y, self.task.seed)

    def query(self, places: Places) -> Split:
        """Rows with their classes."""
        rows = self.task.instance.train
        return Split(rows.x[places], rows.y[places])

    def guesses(self, known: Places, rows: Split, places: Places) -> Floats:
        """The rows themselves."""
        return self.task.instance.train.x[places]


def starting_places(y: Places, seed: int) -> Places:
    """Places of two rows of each class in ``y``, which the seed chooses."""
    random = np.random.default_rng([seed, _START])
    return np.concatenate([random.permutation(np.flatnonzero(y == label))[:START_OF_A_CLASS] for label in np.unique(y)])

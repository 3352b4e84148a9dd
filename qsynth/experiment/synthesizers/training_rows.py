"""What generators of an experiment learn from: a task's real rows, dealt out evenly over the classes."""

from dataclasses import replace

import numpy as np

from qsynth.data.dataset import Instance, Split

FOLD = 5


def evenly(instance: Instance) -> Instance:
    """With rows of the smaller classes again and again, until every class has as many rows as the largest."""
    train = _even(instance.train)
    return replace(instance, train=train, reserve=train, validation=train)


def kept_back(instance: Instance) -> Instance:
    """With every fifth row of each class kept back for a score to choose by, one of each at least.

    Those are dealt out evenly too, or else a generator that is asked for every class alike would be compared with rows
    of the classes' own shares.
    """
    y = instance.train.y
    held = np.zeros(len(y), dtype=bool)
    for label in range(instance.n_classes):
        held[np.flatnonzero(y == label)[::FOLD]] = True
    train, other = (_even(Split(instance.train.x[rows], y[rows])) for rows in (~held, held))
    return replace(instance, train=train, reserve=other, validation=other)


def _even(split: Split) -> Split:
    most = int(np.bincount(split.y).max())
    rows = np.concatenate([np.resize(np.flatnonzero(split.y == label), most) for label in np.unique(split.y)])
    return Split(split.x[rows], split.y[rows])

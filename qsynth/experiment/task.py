"""One learning problem of an experiment: few real rows, the rows that an oracle has besides, and test rows."""

from dataclasses import dataclass

import numpy as np

from qsynth.data.dataset import Instance, Split
from qsynth.data.table import Indices, Table
from qsynth.data.tabular import PartitionedTable
from qsynth.errors import DataError
from qsynth.experiment.regime import Regime

MOST_TEST = 400
TEST_SHARE = 1 / 3
_FIXED, _DRAWN = 7, 8  # streams of random numbers


@dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """Rows in one scaled space, learned from the rows to train on (and those without labels).

    Attributes:
        instance: ``train`` are the real rows, classes one after another; they stand for its reserve and validation rows
            too, as there are no others. ``test`` are the same rows of the table in every task of it.
        more: real rows that nobody but an oracle has.
    """

    instance: Instance
    more: Split
    seed: int


def draw_task(source: PartitionedTable, regime: Regime, seed: int) -> Task:
    """The task of this seed, always the same.

    Raises:
        QsynthError: the table can't be read, or has too few rows.
    """
    table = source.table()
    test, pools = _test_rows(table)
    random = np.random.default_rng([seed, _DRAWN])
    pools = [random.permutation(pool) for pool in pools]
    n_train, n_more = regime.counts(np.array([len(pool) for pool in pools]), seed)
    train = np.concatenate([pool[:n] for pool, n in zip(pools, n_train, strict=True)])
    more = np.concatenate([pool[n : n + m] for pool, n, m in zip(pools, n_train, n_more, strict=True)])
    others = np.concatenate([pool[n:] for pool, n in zip(pools, n_train, strict=True)])
    unlabelled = random.permutation(others)[: regime.n_unlabelled]
    scaling = source.scaling(table, table.x[np.concatenate([train, unlabelled])])

    def part(rows: Indices) -> Split:
        return Split(scaling.forward(table.x[rows]), table.y[rows])

    real = part(train)
    instance = Instance(
        key=f"{source.title}/{regime.title}#{seed}",
        train=real,
        reserve=real,
        validation=real,
        test=part(test),
        class_names=table.class_names,
        feature_names=table.feature_names,
        scaling=scaling,
    )
    return Task(instance=instance, more=part(more), seed=seed)


def _test_rows(table: Table) -> tuple[Indices, list[Indices]]:
    """Row numbers to test on, a share of each class, and those of each class that are left."""
    if len(table.class_names) < 2:
        raise DataError("an experiment's table must have classes; got one without")
    random = np.random.default_rng([0, _FIXED])
    share = min(TEST_SHARE, MOST_TEST / len(table.y))
    pools = [random.permutation(np.flatnonzero(table.y == label)) for label in range(len(table.class_names))]
    sizes = [max(1, round(share * len(pool))) for pool in pools]
    test = np.concatenate([pool[:size] for pool, size in zip(pools, sizes, strict=True)])
    return test, [pool[size:] for pool, size in zip(pools, sizes, strict=True)]

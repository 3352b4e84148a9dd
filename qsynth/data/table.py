"""A table of numbers with a label, and its stratified parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qsynth.errors import DataError

SMALLEST_TRAIN = 8
LARGEST_PART = 4096
_PARTS = 4

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Rows in original units.

    Attributes:
        x: ``rows x columns`` float64.
        y: ``rows`` int64, indices into ``class_names``.
        feature_names: the columns' names.
        class_names: ``("all",)`` when unlabelled.
        log_offsets: heavy-tailed columns by index, and what is added before their logarithm is taken.
    """

    x: NDArray[np.float64]
    y: Indices
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    log_offsets: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Partition:
    """Row numbers of the four parts of a table; no row is in two of them."""

    train: Indices
    reserve: Indices
    validation: Indices
    test: Indices


def partition(
    table: Table, n_train: int, validation_share: float, test_share: float, rng: np.random.Generator
) -> Partition:
    """Stratified parts, each with at least one row of every class.

    ``test`` does not depend on ``rng``: it is the same in every instance of the table. ``validation`` and ``test`` have
    their share of the rows, at most 4,096; ``train`` and ``reserve`` have ``n_train`` rows each, or half of what is
    left. Rows with equal values count as different rows.

    Raises:
        QsynthError: a class with fewer than four rows, more classes than a part has rows, or fewer than eight rows left
            to train on.
    """
    counts = np.bincount(table.y, minlength=len(table.class_names))
    rarest = int(counts.argmin())
    if counts[rarest] < _PARTS:
        raise DataError(
            f"every class must have at least {_PARTS} rows, one for each part; got {counts[rarest]} of class "
            f"{table.class_names[rarest]!r}. Add rows or merge the class with another."
        )
    n_test = min(LARGEST_PART, round(test_share * len(table.y)))
    n_validation = min(LARGEST_PART, round(validation_share * len(table.y)))
    n_train = min(n_train, (len(table.y) - n_test - n_validation) // 2)
    if n_train < SMALLEST_TRAIN:
        raise DataError(
            f"a table must leave at least {SMALLEST_TRAIN} rows to train on; got {n_train} of {len(table.y)}. "
            "Lower validation_share or test_share, or add rows."
        )
    smallest = min(n_test, n_validation, n_train)
    if smallest < len(counts):
        raise DataError(
            f"every part must hold a row of each of the {len(counts)} classes; got a part of {smallest} rows. "
            "Add rows, raise n_train or the shares, or merge classes."
        )
    fixed = np.random.default_rng(np.random.SeedSequence(entropy=0, spawn_key=(2,)))
    pools = [fixed.permutation(np.flatnonzero(table.y == c)) for c in range(len(counts))]
    test, pools = _draw(pools, n_test, parts_left=3, rng=fixed)
    pools = [rng.permutation(pool) for pool in pools]
    validation, pools = _draw(pools, n_validation, parts_left=2, rng=rng)
    train, pools = _draw(pools, n_train, parts_left=1, rng=rng)
    reserve, _ = _draw(pools, n_train, parts_left=0, rng=rng)
    return Partition(train, reserve, validation, test)


def _draw(
    pools: list[Indices], size: int, *, parts_left: int, rng: np.random.Generator
) -> tuple[Indices, list[Indices]]:
    """About ``size`` rows in the pools' proportions (largest remainders), in random order, and the pools without them.

    Every class gives at least one row and keeps one for each of the ``parts_left``; so a part can be smaller than
    ``size`` when its classes are nearly used up.
    """
    available = np.array([len(pool) - parts_left for pool in pools])
    total = sum(len(pool) for pool in pools)
    quotas = np.array([size * len(pool) / total for pool in pools])
    counts = np.clip(np.floor(quotas).astype(np.int64), 1, available)
    while counts.sum() < min(size, available.sum()):
        counts[np.where(counts < available, quotas - counts, -np.inf).argmax()] += 1
    while counts.sum() > size:
        counts[np.where(counts > 1, counts - quotas, -np.inf).argmax()] -= 1
    drawn = np.concatenate([pool[:count] for pool, count in zip(pools, counts, strict=True)])
    return rng.permutation(drawn), [pool[count:] for pool, count in zip(pools, counts, strict=True)]

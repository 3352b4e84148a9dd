"""Random tables differ in what real ones differ in."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from qsynth.data.mixtures import MixtureFamily
from qsynth.data.table import Table

N_TABLES = 60
FAMILY = MixtureFamily(n_classes=2, n_columns=9, n_features=4)


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    return [FAMILY.table_of(seed, held_out=False) for seed in range(N_TABLES)]


def test_some_columns_have_few_values(tables: list[Table]) -> None:
    graded = [any(len(np.unique(column)) < 20 for column in table.x.T) for table in tables]
    assert 0.1 < np.mean(graded) < 0.5


def test_classes_are_told_apart_easily_or_hardly_at_all() -> None:
    gains = []
    for seed in range(N_TABLES):
        instance = FAMILY.instance(seed, held_out=False)
        classifier = LogisticRegression(max_iter=1000).fit(instance.train.x, instance.train.y)
        gains.append(classifier.score(instance.test.x, instance.test.y) - instance.class_shares.max())
    assert np.quantile(gains, 0.2) < 0.1
    assert np.quantile(gains, 0.8) > 0.3


def test_some_columns_do_not_tell_classes_apart(tables: list[Table]) -> None:
    def effects(table: Table) -> np.ndarray:
        one, other = (table.x[table.y == label] for label in (0, 1))
        pooled = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2)
        return np.asarray(np.abs(one.mean(axis=0) - other.mean(axis=0)) / pooled)

    clear = [table for table in tables if effects(table).max() > 2.0]
    assert len(clear) > 10
    assert np.mean([effects(table).min() < 0.3 for table in clear]) > 0.5

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsynth.data.table import Partition, Table, partition
from qsynth.errors import QsynthError


def table(*counts: int) -> Table:
    y = np.repeat(np.arange(len(counts)), counts)
    return Table(
        x=np.arange(len(y), dtype=np.float64)[:, None],
        y=y,
        feature_names=("row",),
        class_names=tuple(f"c{i}" for i in range(len(counts))),
    )


def parts(rows: Partition) -> list[np.ndarray]:
    return [rows.train, rows.reserve, rows.validation, rows.test]


@given(
    st.lists(st.integers(4, 400), min_size=1, max_size=6).filter(lambda counts: sum(counts) >= 60),
    st.integers(8, 300),
    st.integers(0, 10**6),
)
def test_parts_are_disjoint_and_hold_every_class(counts: list[int], n_train: int, seed: int) -> None:
    source = table(*counts)
    rows = partition(source, n_train, 0.2, 0.2, np.random.default_rng(seed))
    taken = np.concatenate(parts(rows))
    assert len(np.unique(taken)) == len(taken)
    assert len(rows.train) <= n_train
    assert abs(len(rows.train) - len(rows.reserve)) <= len(counts)
    for part in parts(rows):
        assert set(source.y[part]) == set(range(len(counts)))


def test_parts_keep_the_class_shares() -> None:
    source = table(700, 200, 100)
    rows = partition(source, 100, 0.2, 0.2, np.random.default_rng(0))
    assert [len(part) for part in parts(rows)] == [100, 100, 200, 200]
    for part in parts(rows):
        np.testing.assert_allclose(np.bincount(source.y[part]) / len(part), [0.7, 0.2, 0.1], atol=0.011)


def test_rows_are_not_in_order_of_class() -> None:
    source = table(100, 100)
    for part in parts(partition(source, 50, 0.2, 0.2, np.random.default_rng(0))):
        assert np.abs(np.diff(source.y[part])).sum() > 5


def test_only_the_test_part_is_fixed() -> None:
    source = table(100, 60)
    one, two = (partition(source, 30, 0.2, 0.2, np.random.default_rng(seed)) for seed in (1, 2))
    np.testing.assert_array_equal(one.test, two.test)
    assert set(one.train) != set(two.train)
    assert set(one.validation) != set(two.validation)


def test_test_part_does_not_depend_on_other_settings() -> None:
    source = table(100, 60)
    one = partition(source, 30, 0.2, 0.2, np.random.default_rng(1))
    two = partition(source, 10, 0.4, 0.2, np.random.default_rng(1))
    np.testing.assert_array_equal(one.test, two.test)


def test_small_tables_share_equally() -> None:
    rows = partition(table(25, 25), 1000, 0.2, 0.2, np.random.default_rng(0))
    assert [len(part) for part in parts(rows)] == [15, 15, 10, 10]


def test_large_tables_have_bounded_parts() -> None:
    rows = partition(table(30_000, 20_000), 100, 0.2, 0.4, np.random.default_rng(0))
    assert [len(part) for part in parts(rows)] == [100, 100, 4096, 4096]


def test_a_class_of_four_rows_is_in_every_part() -> None:
    source = table(400, 4)
    for part in parts(partition(source, 50, 0.2, 0.2, np.random.default_rng(0))):
        assert (source.y[part] == 1).sum() == 1


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((100, 3), "at least 4 rows, one for each part; got 3 of class 'c1'"),
        ((100, 0), "got 0 of class 'c1'"),
        ((10, 10), "at least 8 rows to train on; got 6 of 20"),
        ((4,) * 30, "each of the 30 classes; got a part of 24 rows"),
    ],
)
def test_tables_that_are_too_small(counts: tuple[int, ...], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        partition(table(*counts), 100, 0.2, 0.2, np.random.default_rng(0))

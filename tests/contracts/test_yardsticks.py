"""What every yardstick must hold to, whatever rows it learns."""

from collections.abc import Callable

import numpy as np
import pytest

from qsynth.data.dataset import Instance
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.tabular import TableData
from qsynth.yardsticks.registry import YARDSTICKS
from qsynth.yardsticks.yardstick import Yardstick
from tests.qsynth.yardsticks.made import instance, normal_rows, split


def _one_row_in_a_class() -> Instance:
    rows = normal_rows(0, 40)
    y = np.where(np.arange(40) == 7, 2, rows.y)
    return instance(split(rows.x, y))


def _a_class_without_rows() -> Instance:
    rows = normal_rows(0, 40)
    return instance(split(rows.x, np.where(rows.y == 1, 2, 0)))


def _constant_columns() -> Instance:
    rows = normal_rows(0, 40)
    return instance(split(np.column_stack([rows.x, np.full(40, 0.25)]), rows.y))


def _few_values() -> Instance:
    rows = normal_rows(0, 60)
    return instance(split(np.round(rows.x), rows.y))


INSTANCES: dict[str, Callable[[], Instance]] = {
    "iris": lambda: TableData(name="iris", n_train=45).instance(0, held_out=True),
    "one dimension": lambda: GaussianFamily(n_train=64, n_validation=32, n_test=32).instance(0, held_out=False),
    "one class": lambda: instance(split(normal_rows(0, 40).x, np.zeros(40))),
    "one row in a class": _one_row_in_a_class,
    "a class without rows": _a_class_without_rows,
    "a row a class": lambda: instance(split([[0.5, -0.5], [0.1, 0.2]], [0, 1])),
    "more columns than rows": lambda: instance(split(np.random.default_rng(0).normal(size=(6, 8)), [0, 1] * 3)),
    "constant columns": _constant_columns,
    "nothing but one value": lambda: instance(split(np.zeros((10, 2)), np.arange(10) % 2)),
    "few values": _few_values,
}


@pytest.fixture(params=INSTANCES)
def learned(request: pytest.FixtureRequest) -> Instance:
    return INSTANCES[request.param]()


@pytest.fixture(params=list(YARDSTICKS))
def yardstick(request: pytest.FixtureRequest) -> Yardstick:
    return YARDSTICKS[request.param]


def test_rows_have_the_shape_that_is_asked_for(yardstick: Yardstick, learned: Instance) -> None:
    labels = np.arange(50) % learned.n_classes
    rows = yardstick.fit(learned, 0).sample(labels, 2**61 + 5)
    assert rows.shape == (50, learned.n_features)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() <= 6 * np.abs(learned.train.x).max() + 0.05


def test_a_seed_repeats_and_another_does_not(yardstick: Yardstick) -> None:
    learned = INSTANCES["iris"]()
    labels = np.arange(30) % 3
    first, again, other = (yardstick.fit(learned, 0).sample(labels, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_learning_repeats(yardstick: Yardstick) -> None:
    learned, labels = INSTANCES["iris"](), np.arange(30) % 3
    first, again = (yardstick.fit(learned, 2**62).sample(labels, 1) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_rows_have_the_class_that_is_asked_for(yardstick: Yardstick) -> None:
    rows = normal_rows(0, shift=3.0)
    labels = np.arange(101) % 2
    made = yardstick.fit(instance(rows, reserve=normal_rows(1, shift=3.0)), 0).sample(labels, 0)
    assert (np.sign(made.mean(axis=1)) == np.where(labels == 0, -1, 1)).all()


def test_what_is_learned_is_not_the_test_rows(yardstick: Yardstick) -> None:
    learned = INSTANCES["iris"]()
    garbage = split(np.full_like(learned.test.x, 9.0), learned.test.y)
    other = Instance(**{**vars(learned), "test": garbage})
    labels = np.arange(30) % 3
    np.testing.assert_array_equal(*(yardstick.fit(each, 0).sample(labels, 0) for each in (learned, other)))


def test_only_the_ceiling_has_rows_of_its_own(yardstick: Yardstick) -> None:
    learned = INSTANCES["iris"]()
    garbage = split(np.full_like(learned.reserve.x, 9.0), learned.reserve.y)
    other = Instance(**{**vars(learned), "reserve": garbage})
    labels = np.arange(30) % 3
    one, two = (yardstick.fit(each, 0).sample(labels, 0) for each in (learned, other))
    assert bool((one == two).all()) != yardstick.ceiling

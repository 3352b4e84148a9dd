"""Which rows a task has."""

import numpy as np
import pytest

from qsynth.data.tabular import TableData
from qsynth.errors import DataError
from qsynth.experiment.regime import FewLabels, Imbalance
from qsynth.experiment.task import draw_task
from tests.qsynth.experiment.made import Blobs, blobs

IRIS = TableData(name="iris")


def test_few_labels_are_of_the_classes_own_shares_and_the_oracle_has_more() -> None:
    task = draw_task(IRIS, FewLabels(n_rows=30, n_more=12), 0)
    assert np.bincount(task.instance.train.y).tolist() == [10, 10, 10]
    assert np.bincount(task.more.y).tolist() == [4, 4, 4]


@pytest.mark.parametrize("seed", range(4))
def test_one_class_is_rare_and_the_oracle_fills_it_up(seed: int) -> None:
    task = draw_task(IRIS, Imbalance(ratio=10, n_majority=30), seed)
    counts = np.bincount(task.instance.train.y)
    assert counts[seed % 3] == 3
    assert sorted(counts) == [3, 30, 30]
    assert np.bincount(task.more.y, minlength=3).tolist() == [27 if label == seed % 3 else 0 for label in range(3)]


def test_a_rare_class_has_a_row_for_each_fold() -> None:
    task = draw_task(IRIS, Imbalance(ratio=1000, n_majority=30), 0)
    assert np.bincount(task.instance.train.y).min() == 2


def test_no_row_is_in_two_parts_and_test_rows_are_always_the_same() -> None:
    tasks = [draw_task(Blobs(n_features=2), FewLabels(n_rows=40, n_more=60), seed) for seed in range(3)]
    originals = []
    for task in tasks:
        scaling = task.instance.scaling
        parts = [scaling.inverse(part.x) for part in (task.instance.train, task.more, task.instance.test)]
        rows = np.round(np.concatenate(parts), 4)
        assert len(np.unique(rows, axis=0)) == len(rows) == 40 + 60 + 100
        originals.append(parts)
    assert np.allclose(originals[0][2], originals[1][2], atol=1e-4)
    assert not np.allclose(originals[0][0], originals[1][0])


def test_scaling_learns_from_unlabelled_rows_too() -> None:
    alone, helped = (draw_task(Blobs(), FewLabels(n_rows=4, n_unlabelled=n), 0).instance for n in (0, 100))
    assert not np.allclose(alone.scaling.deviation, helped.scaling.deviation)
    assert np.allclose(alone.scaling.inverse(alone.train.x), helped.scaling.inverse(helped.train.x), atol=1e-4)


def test_a_task_is_always_the_same() -> None:
    first, again = (blobs(seeds=1)[0] for _ in range(2))
    assert np.array_equal(first.instance.train.x, again.instance.train.x)
    assert np.array_equal(first.more.x, again.more.x)


@pytest.mark.parametrize(
    ("regime", "match"),
    [(FewLabels(n_rows=101), "more rows to train on"), (Imbalance(ratio=5, n_majority=60), "60 rows to train on")],
)
def test_too_few_rows_are_refused(regime: FewLabels | Imbalance, match: str) -> None:
    with pytest.raises(DataError, match=match):
        draw_task(IRIS, regime, 0)


def test_a_table_without_classes_is_refused() -> None:
    class Alike(Blobs):
        def table(self):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            found = super().table()
            return replace(found, y=np.zeros_like(found.y), class_names=("all",))

    with pytest.raises(DataError, match="must have classes"):
        draw_task(Alike(), FewLabels(n_rows=20), 0)

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.config import parse
from qsynth.data.bundled import TABLES
from qsynth.data.dataset import Instance, Split
from qsynth.data.tabular import CsvData, TableData
from qsynth.errors import QsynthError


def row_numbers(data: TableData, instance: Instance, part: Split) -> list[int]:
    """Which rows of the table these are; needs a table without repeated rows, and all of its columns."""
    everything = instance.scaling.forward(data.table().x)
    number = {row.tobytes(): index for index, row in enumerate(everything)}
    assert len(number) == len(everything)
    return [number[row.tobytes()] for row in part.x]


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_no_instance_learns_from_a_test_row(name: str) -> None:
    data = TableData(name=name, n_features=None)
    first = data.instance(0, held_out=False)
    fixed = row_numbers(data, first, first.test)
    assert len(set(fixed)) == len(fixed)
    for seed in range(5):
        for held_out in (False, True):
            instance = data.instance(seed, held_out)
            assert row_numbers(data, instance, instance.test) == fixed
            others = [row_numbers(data, instance, p) for p in (instance.train, instance.reserve, instance.validation)]
            together = [*fixed, *others[0], *others[1], *others[2]]
            assert len(set(together)) == len(together)


def test_labels_stay_with_their_rows() -> None:
    data = TableData(name="breast_cancer", n_features=None)
    instance = data.instance(2, held_out=False)
    for part in (instance.train, instance.reserve, instance.validation, instance.test):
        assert data.table().y[row_numbers(data, instance, part)].tolist() == part.y.tolist()


def test_scaling_knows_the_training_rows_only() -> None:
    instance = TableData(name="breast_cancer", n_features=None).instance(0, held_out=False)
    np.testing.assert_allclose(instance.train.x.min(axis=0), -0.9, atol=1e-6)
    np.testing.assert_allclose(instance.train.x.max(axis=0), 0.9, atol=1e-6)
    assert np.abs(instance.reserve.x).max() > 0.91
    assert np.abs(instance.validation.x).max() > 0.91
    assert np.abs(instance.test.x).max() > 0.91


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("iris", (150, 4), 3),
        ("wine", (178, 13), 3),
        ("breast_cancer", (569, 30), 2),
        ("qubit_calibrations", (2892, 6), 3),
    ],
)
def test_bundled_tables(name: str, shape: tuple[int, int], classes: int) -> None:
    table = TABLES[name]()
    assert table.x.shape == shape
    assert len(table.feature_names) == shape[1]
    assert np.bincount(table.y).size == len(table.class_names) == classes
    assert np.isfinite(table.x).all()


def test_qubit_calibrations_are_labelled_by_family_and_scaled_by_logarithm() -> None:
    data = TableData(name="qubit_calibrations", n_features=None)
    table = data.table()
    assert dict(zip(table.class_names, np.bincount(table.y), strict=True)) == {
        "Eagle": 1397,
        "Falcon": 427,
        "Heron": 1068,
    }
    instance = data.instance(0, held_out=False)
    errors = [table.feature_names.index(name) for name in ("readout_error", "sx")]
    assert (instance.scaling.inverse(-np.ones((1, 6)))[:, errors] > 0).all()
    restored = instance.scaling.inverse(instance.scaling.forward(table.x))
    np.testing.assert_allclose(restored, table.x, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(restored[:, errors], table.x[:, errors], rtol=1e-5)


def test_width_is_at_most_what_the_table_has() -> None:
    assert TableData(name="iris", n_features=9).width == 4
    assert TableData(name="wine").width == 4
    assert TableData(name="wine", n_features=None).width == 13


def test_unknown_tables_are_refused_with_a_guess() -> None:
    with pytest.raises(QsynthError, match=r"got 'irsi'\. Did you mean 'iris'\?"):
        parse(TableData, {"name": "irsi"}, source="study")


@pytest.mark.parametrize(
    "change", [{"n_train": 7}, {"n_features": 0}, {"test_share": 0.0}, {"validation_share": 0.5}, {"colour": 1}]
)
def test_settings_are_bounded(change: dict[str, float]) -> None:
    with pytest.raises(QsynthError, match=next(iter(change))):
        parse(TableData, {"name": "iris"} | change, source="study")


def test_more_components_than_training_rows_are_refused_before_work_starts() -> None:
    with pytest.raises(QsynthError, match="at most the 8 training rows; got 20"):
        TableData(name="breast_cancer", n_features=20, n_train=8).check()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    frame = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0) ** 2})
    frame.to_csv(path, index=False)
    data = CsvData(path=str(path))
    assert data.instance(0, held_out=False).key == "mine#0"
    assert data.width == 2
    frame.assign(c=1.5).to_csv(path, index=False)
    assert data.width == 3
    os.unlink(path)
    with pytest.raises(QsynthError, match="existing file"):
        data.check()


@pytest.mark.parametrize("word", [True, False])
def test_a_label_that_yaml_reads_as_a_truth(word: bool) -> None:
    with pytest.raises(QsynthError, match="write the name in quotes"):
        CsvData(path="mine.csv", label=word)

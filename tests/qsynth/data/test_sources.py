from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter

from qsynth.config import Config, parse
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.sources import DataConfig, write_rows
from qsynth.data.tabular import CsvData, TableData
from qsynth.errors import QsynthError


class Study(Config):
    data: DataConfig


@pytest.fixture(scope="module")
def iris() -> TableData:
    return TableData(name="iris")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"kind": "gaussian"}, GaussianFamily),
        ({"kind": "table", "name": "wine"}, TableData),
        ({"kind": "csv", "path": "x.csv", "label": "y"}, CsvData),
    ],
)
def test_kind_chooses_the_source(values: dict[str, str], kind: type[Config]) -> None:
    source = parse(Study, {"data": values}, source="study").data
    assert type(source) is kind
    assert TypeAdapter(DataConfig).validate_json(source.model_dump_json()) == source


def test_written_rows_can_be_read_back(tmp_path: Path, iris: TableData) -> None:
    instance = iris.instance(0, held_out=False)
    rows = instance.scaling.inverse(instance.train.x)
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")
    write_rows(path, rows, instance.train.y, instance)
    frame = pd.read_csv(path)
    assert list(frame.columns) == [*instance.feature_names, "label"]
    np.testing.assert_allclose(frame.iloc[:, :-1].to_numpy(), rows, rtol=1e-14)
    assert frame["label"].tolist() == [instance.class_names[c] for c in instance.train.y]
    table = CsvData(path=str(path), label="label").table()
    assert table.class_names == instance.class_names
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, iris: TableData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    instance = iris.instance(0, held_out=False)
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(QsynthError, match="No space left"):
        write_rows(path, np.zeros((2, 4)), np.zeros(2, int), instance)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (np.zeros((2, 3)), np.zeros(2, int), "must have the 4 original columns"),
        (np.zeros(4), np.zeros(1, int), "must have the 4 original columns"),
        (np.zeros((2, 4)), np.zeros(3, int), "must be 2 integers"),
        (np.zeros((2, 4)), np.zeros(2), "must be 2 integers"),
        (np.zeros((2, 4)), np.array([0, 3]), r"must lie in 0\.\.2; got 0\.\.3"),
        (np.zeros((2, 4)), np.array([-1, 0]), r"must lie in 0\.\.2; got -1\.\.0"),
    ],
)
def test_rows_that_do_not_fit(
    tmp_path: Path, iris: TableData, rows: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(QsynthError, match=message):
        write_rows(tmp_path / "out.csv", rows, labels, iris.instance(0, held_out=False))
    assert not list(tmp_path.iterdir())


def test_absent_directory(tmp_path: Path, iris: TableData) -> None:
    with pytest.raises(QsynthError, match="can't be written: No such file"):
        write_rows(tmp_path / "no" / "out.csv", np.zeros((1, 4)), np.zeros(1, int), iris.instance(0, held_out=False))

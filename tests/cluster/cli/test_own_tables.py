"""A table of one's own, from the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.synthesizer import QGANSynthesizer
from tests.cluster.cli.test_app import call, refused


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    kind = random.choice(["$0-$50K", "<b>rich</b>"], size=80)
    frame = pd.DataFrame({"age": random.integers(20, 60, size=80), "income": kind, "score": random.normal(size=80)})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def test_check_fit_sample_and_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: Path, tmp_path: Path
) -> None:
    model, out, page = tmp_path / "model", tmp_path / "out.parquet", tmp_path / "page.html"
    assert call(monkeypatch, "check", rows, "--target", "income", "--json") == 0
    capsys.readouterr()
    fit: list[Any] = ["fit", rows, "--target", "income", "-o", model, "--iterations", 5, "--seed", 0, "--json"]
    assert call(monkeypatch, *fit) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == str(model)
    assert {"quantum", "Gaussian mixture", "SMOTE"} <= set(told["scores"])
    where = ["--where", "income=$0-$50K", "--where", "age=30..40"]
    assert call(monkeypatch, "sample", model, "-n", 20, *where, "-o", out) == 0
    made = pd.read_parquet(out)
    assert list(made.columns) == ["age", "income", "score"]
    assert set(made["income"]) == {"$0-$50K"}
    assert made["age"].between(30, 40).all()
    capsys.readouterr()
    assert call(monkeypatch, "sample", model, "-n", 3, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 3
    training = tmp_path / "training.csv"
    assert call(monkeypatch, "sample", model, "-n", 10, "--beside", rows, "-o", training) == 0
    table = pd.read_csv(training)
    assert len(table) == 90
    assert {"income=$0-$50K", "income=<b>rich</b>", "weight", "synthetic"} <= set(table.columns)
    capsys.readouterr()
    assert "--where must be left out" in refused(monkeypatch, capsys, "sample", model, *where, "--beside", rows)
    assert call(monkeypatch, "report", rows, out, "-o", page, "--target", "income") == 0
    assert "<b>rich</b>" not in page.read_text()


def test_what_a_file_has_is_said_once_with_its_column_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows, model = tmp_path / "rows.csv", tmp_path / "model"
    rows.write_text("\n".join(["size,price", *(f'{n % 7},"{1000 + 7 * n:,}"' for n in range(60))]))
    fit: list[Any] = ["fit", rows, "-o", model, "--iterations", 2, "--method", "tied Gaussian"]
    assert call(monkeypatch, *fit) == 0
    [said] = [line for line in capsys.readouterr().err.splitlines() if "thousands" in line]
    assert said.startswith("qsynth: 'price': ")
    assert said.removeprefix("qsynth: ") in QGANSynthesizer.load(model).notes
    assert call(monkeypatch, *fit, "--json") == 0
    assert [note for note in json.loads(capsys.readouterr().out)["notes"] if "thousands" in note] == [
        said.removeprefix("qsynth: ")
    ]


def test_a_study_to_edit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: Path, tmp_path: Path
) -> None:
    study = tmp_path / "study.yaml"
    assert call(monkeypatch, "init", rows, "--target", "income", "-o", study) == 0
    assert call(monkeypatch, "doctor", study, "--json") == 0
    capsys.readouterr()
    assert "is there already" in refused(monkeypatch, capsys, "init", rows, "--target", "income", "-o", study)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--target", "incom"], "Did you mean 'income'?"),
        (["--method", "quantm"], "Did you mean 'quantum'?"),
        (["--agent", "defalt"], "Did you mean 'default'?"),
        (["-o", "rows.csv"], "every file must be named once"),
        (["-o", "/no/such/folder/model"], "/no/such/folder"),
    ],
)
def test_slips_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: Path, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(rows.parent)
    assert expected in refused(monkeypatch, capsys, "fit", "rows.csv", *arguments)

"""``qsynth report``: a page and JSON from two files, and one line for what does not fit."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cluster.cli.test_app import call, refused


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three samples of one distribution, in which the command runs."""
    for seed, name in enumerate(("real", "synthetic", "unseen")):
        rng = np.random.default_rng(seed)
        income = np.array(["$0-$50K", "more"])[rng.integers(0, 2, 60)]
        rows = pd.DataFrame(
            {"hours": rng.normal(40, 5, 60) + 9 * (income == "more"), "city": rng.choice(["a", "b"], 60)}
        )
        rows.assign(income=income).to_csv(tmp_path / f"{name}.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_is_written_and_the_most_important_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "report", "real.csv", "synthetic.csv", "-o", "a.html", "--target", "income") == 0
    summary, path = capsys.readouterr().out.splitlines()
    assert "60 synthetic rows beside 60 real ones; told apart with AUC" in summary
    assert ", Gaussian mixture: " in summary
    assert "memorisation unknown" in summary
    assert path == "a.html"
    assert "$0-$50K" in (folder / path).read_text()


def test_json_has_what_the_page_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("report", "real.csv", "real.csv", "--held-out", "unseen.csv", "--target", "income", "--json")
    assert call(monkeypatch, *arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["target"] == "income"
    assert found["rows"] == {"real": 60, "synthetic": 60, "held_out": 60}
    assert found["numbers"]["copies"]["value"] == 1
    assert found["numbers"]["memorised"]["value"] == 1
    assert set(found["numbers"]["c2st_auc"]["beside"]) == {"Gaussian mixture", "kernel density", "SMOTE", "duplication"}
    assert found["numbers"]["copies"]["beside"]["duplication"] == 1
    assert found["numbers"]["copies"]["beside"]["Gaussian mixture"] < 0.1
    assert (folder / found["path"]).is_file()
    assert call(monkeypatch, *arguments, "--seed", 1) == 0
    assert json.loads(capsys.readouterr().out)["numbers"]["c2st_auc"] != found["numbers"]["c2st_auc"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("real.csv", "nothing.csv"), "nothing.csv"),
        (("real.csv", "other.csv"), "synthetic rows must have the column 'hours'"),
        (("real.csv", "synthetic.csv", "--target", "incme"), "income"),
        (("real.csv", "synthetic.csv", "-o", "no/folder/a.html"), "no/folder"),
        (("real.csv", "synthetic.csv", "--held-out", "other.csv"), "held-out rows must have the column 'hours'"),
    ],
)
def test_what_does_not_fit_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    (folder / "other.csv").write_text("a,b\n1,2\n3,4\n5,7\n")
    assert expected in refused(monkeypatch, capsys, "report", *arguments)
    assert not list(folder.glob("*.html"))

"""A finished comparison as Optuna has it, and `qsynth export`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.optuna_export import to_optuna
from cluster.results.optuna_studies import new_studies, shown_url, storage_url
from cluster.study.run_directory import RunDirectory
from cluster.system.sqlite_file import sqlite_uri
from qsynth.errors import QsynthError
from tests.cluster.cli.test_app import call, refused
from tests.cluster.comparison.made import comparison
from tests.cluster.comparison.test_importance import SPACE, matters, played

optuna = pytest.importorskip("optuna")


@pytest.fixture
def result() -> ComparisonResult:
    """One rival with 60 trials, on six problems."""
    made = comparison({"agent": [0.7] * 6, "random search": [0.5] * 6})
    rivals = (made.rivals[0], replace(made.rivals[1], records=tuple(played(matters, n_trials=10))))
    return replace(made, rivals=rivals, spaces={"a": SPACE})


def test_optuna_has_every_trial_and_the_same_front(result: ComparisonResult, tmp_path: Path) -> None:
    url = sqlite_uri(tmp_path / "what?%41.db")
    assert to_optuna(result, url, "mine") == {"mine": 60}
    assert (tmp_path / "what?%41.db").is_file()
    found = optuna.load_study(study_name="mine", storage=url)
    points = result.fronts["a"].points
    assert [trial.params["rate"] for trial in found.trials] == [point.values["rate"] for point in points]
    assert {trial.state.name for trial in found.trials} == {"COMPLETE"}
    front = [each.score for each in result.fronts["a"].front("circuits")]
    assert [trial.values[0] for trial in found.best_trials] == front
    assert found.trials[0].user_attrs == {
        "rival": "random search",
        "problem": 0,
        "validation": points[0].validation,
        "shots": 0,
        "constants": True,
        "whole": True,
    }
    importance = optuna.importance.get_param_importances(
        found, target=lambda trial: trial.values[0], evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
    )
    assert importance["rate"] > 0.8


def test_several_studies_have_a_study_each(result: ComparisonResult) -> None:
    one = result.rivals[1]
    of_b = tuple(replace(each, study="b") for each in one.records)
    both = replace(
        result,
        rivals=(
            result.rivals[0],
            replace(
                one,
                records=(*one.records, *of_b),
                details=dict.fromkeys("ab", ""),
                preparations=dict.fromkeys("ab", 0),
            ),
        ),
        iterations=dict.fromkeys("ab", 10),
        decisions=dict.fromkeys("ab", 2),
        spaces=dict.fromkeys("ab", SPACE),
    )
    assert to_optuna(both, "sqlite://", "mine") == {"mine a": 60, "mine b": 60}


def test_the_command_writes_it_once(
    result: ComparisonResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = tmp_path / "a run", tmp_path / "odd name?.db"
    folder.mkdir()
    result.write(RunDirectory(folder).comparison)
    assert call(monkeypatch, "export", folder, "--optuna", file, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"storage": sqlite_uri(file), "studies": {"a run": 60}}
    assert len(optuna.load_study(study_name="a run", storage=told["storage"]).trials) == 60
    line = refused(monkeypatch, capsys, "export", folder, "--optuna", file)
    assert "must not have a study 'a run' yet" in line
    assert call(monkeypatch, "export", folder, "--optuna", file, "--name", "other") == 0
    said = capsys.readouterr().out
    assert "other: 60 trials" in said
    assert f"optuna-dashboard '{sqlite_uri(file)}'" in said


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("sqlite:////no/such/folder/study.db", "unable to open database file"),
        ("sqlite:///study.db?x=1", "written as %3F"),
        ("nonsense://somewhere", "a storage must be one that Optuna can use"),
        ("postgresql://me:secret@host/x", "postgresql://me:***@host/x"),
    ],
)
def test_a_storage_that_can_not_be_used_is_one_line(
    storage: str,
    expected: str,
    result: ComparisonResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result.write(RunDirectory(tmp_path).comparison)
    line = refused(monkeypatch, capsys, "export", tmp_path, "--optuna", storage)
    assert expected in line
    assert "secret" not in line


def test_what_is_no_finished_comparison_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(monkeypatch, capsys, "export", tmp_path, "--optuna", "study.db")
    assert "comparison.json must hold a comparison's results" in line
    comparison({"agent": [0.7], "random search": [0.5]}).write(RunDirectory(tmp_path).comparison)
    assert "earlier version" in refused(monkeypatch, capsys, "export", tmp_path, "--optuna", "study.db")


def test_nothing_is_left_of_studies_that_could_not_be_filled(tmp_path: Path) -> None:
    url = storage_url(str(tmp_path / "study.db"))
    with new_studies(url, ["old"]):
        pass
    with pytest.raises(QsynthError, match="must not have a study 'old' yet"), new_studies(url, ["new", "old"]):
        pass
    with pytest.raises(KeyboardInterrupt), new_studies(url, ["other"]):
        raise KeyboardInterrupt
    assert optuna.get_all_study_names(url) == ["old"]
    assert shown_url("redis://:secret@host/0") == "redis://:***@host/0"

"""A finished experiment as Optuna has it: every trial, what mattered, and the Pareto front."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cluster.ray_tune.optuna_storage import to_optuna
from cluster.study.study import Study
from qsynth.errors import QsynthError

optuna = pytest.importorskip("optuna")


def a_result(rate: float, steps: int, score: float, circuits: int, error: Any = None) -> Any:
    values = {"lr_generator": rate, "n_critic": float(steps), "beta1": 0.5}
    metrics = {"score": score, "score_best": score + 0.1, "circuits_total": circuits, "hyperparameters": values}
    return SimpleNamespace(metrics=metrics | {"decision": 3, "reason": "budget"}, error=error)


def test_every_trial_and_what_mattered_are_there_again(study: Study, tmp_path: Path) -> None:
    rates = np.geomspace(1e-3, 1e-1, 12)
    results = [a_result(float(rate), 1 + number % 2, float(rate), 100) for number, rate in enumerate(rates)]
    storage = f"sqlite:///{tmp_path}/tiny.db"
    to_optuna(study, [*results, a_result(0.1, 1, 9.0, 1, error=RuntimeError())], storage)
    found = optuna.load_study(study_name="tiny", storage=storage)
    assert [trial.params["lr_generator"] for trial in found.trials[:-1]] == pytest.approx(rates)
    assert [trial.params["n_critic"] for trial in found.trials[:3]] == [1, 2, 1]
    assert found.trials[0].user_attrs["score_best"] == pytest.approx(0.101)
    assert found.trials[-1].state == optuna.trial.TrialState.FAIL
    assert [direction.name for direction in found.directions] == ["MAXIMIZE", "MINIMIZE"]
    importance = optuna.importance.get_param_importances(
        found, target=lambda trial: trial.values[0], evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
    )
    assert importance["lr_generator"] > 0.8
    with pytest.raises(QsynthError, match="must not have a study 'tiny' yet"):
        to_optuna(study, results, storage)


def test_the_best_trials_are_the_front_of_score_against_circuits(study: Study) -> None:
    scores = [(0.2, 100), (0.5, 200), (0.4, 300), (0.6, 400), (0.1, 100)]
    found = to_optuna(study, [a_result(0.01, 1, score, circuits) for score, circuits in scores])
    assert sorted(trial.number for trial in found.best_trials) == [0, 1, 3]


def test_what_it_needs_is_said(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(QsynthError, match=r"pip install 'qsynth\[compare\]'"):
        to_optuna(study, [])

"""TPE on known scores: it samples where scores are high, prunes whoever is behind, and does what Optuna does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.comparison.rivals.rival import Rival
from cluster.comparison.rivals.tpe import TPE, TPE_HYPERBAND, TPE_MEDIAN
from tests.cluster.comparison.rivals.known_scores import MIXED, Step, X, a_setting, near, play

optuna = pytest.importorskip("optuna")
TARGET = {"rate": 3e-3, "share": 0.7, "steps": 2.0, "width": 16.0}
PRUNERS = {"median": TPE_MEDIAN, "hyperband": TPE_HYPERBAND}
N_DECISIONS = 9


def courses(seed: int, n: int = 200) -> Callable[[Step], float]:
    """Trials that rise to a level of their own, whatever their values, with noise on the way."""
    random = np.random.default_rng(seed)
    levels, noise = random.permutation(n) / n, 0.02 * random.random((n, N_DECISIONS))
    return lambda step: float(levels[step.trial] * (step.done + 1) / N_DECISIONS + noise[step.trial, step.done])


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Optuna's studies that rivals make."""
    made: list[Any] = []
    create = optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **how: made.append(create(**how)) or made[-1])
    return made


def test_it_samples_where_scores_are_high() -> None:
    closeness = near(TARGET, MIXED)
    first, last, bests, drawn = [], [], [], []
    for seed in range(5):
        game = play(TPE, a_setting(MIXED, 1, 40, seed), lambda step: closeness(step.values))
        ends = [each.end for each in game.stretches]
        first.append(np.mean(ends[:10]))
        last.append(np.mean(ends[-10:]))
        bests.append(game.best)
        drawn.append(play(RANDOM_SEARCH, a_setting(MIXED, 1, 40, seed), lambda step: closeness(step.values)).best)
    assert np.mean(last) > np.mean(first) + 0.15
    assert min(last) > max(first)
    assert np.mean(bests) > np.mean(drawn)


def test_optunas_own_loop_samples_the_same() -> None:
    closeness = near(TARGET, MIXED)
    game = play(TPE, a_setting(MIXED, 1, 25, 4), lambda step: closeness(step.values))

    def objective(trial: Any) -> float:
        return closeness(
            {
                "rate": trial.suggest_float("rate", 1e-4, 1e-1, log=True),
                "share": trial.suggest_float("share", 0.0, 0.9),
                "steps": trial.suggest_int("steps", 1, 5),
                "width": trial.suggest_categorical("width", (4.0, 8.0, 16.0)),
            }
        )

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=4))
    study.optimize(objective, n_trials=25)
    assert [each.values[0] for each in game.stretches] == [trial.params for trial in study.trials]
    assert [each.end for each in game.stretches] == [trial.value for trial in study.trials]


@pytest.mark.parametrize("rival", PRUNERS.values(), ids=PRUNERS)
def test_whoever_is_behind_is_pruned_and_pays_for_more_runs(rival: Rival, studies: list[Any]) -> None:
    game = play(rival, a_setting(X, N_DECISIONS, 20), courses(0))
    lengths = np.array([len(each.values) for each in game.stretches])
    levels = np.array([each.end / len(each.values) for each in game.stretches])
    whole = lengths == N_DECISIONS
    assert len(lengths) > 25
    assert game.meter.left == 0
    assert 5 <= whole.sum() < len(lengths) / 2 + 5
    assert np.median(levels[whole][5:]) > np.median(levels[~whole]) + 0.02  # of at most 0.11 to 0.13
    [study] = studies
    pruned = [trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials]
    assert pruned[:-1] == (~whole).tolist()[:-1]  # the last one may have met the end of the budget


def test_median_pruning_is_of_whoever_is_below_the_median_of_whole_runs() -> None:
    levels = np.random.default_rng(0).permutation(300) / 300
    game = play(TPE_MEDIAN, a_setting(X, N_DECISIONS, 20), lambda step: float(levels[step.trial]))
    whole: list[float] = []
    for each in game.stretches[:-1]:
        behind = len(whole) >= 5 and levels[each.trial] < np.median(whole)
        assert len(each.values) == (1 if behind else N_DECISIONS)
        whole += [] if behind else [float(levels[each.trial])]
    assert len(game.stretches) > 25


def of_optuna(pruner: Any, score: Callable[[Step], float], n_trials: int) -> list[tuple[int, dict[str, float]]]:
    """Decisions and values of each trial in a loop as its users write it, but for the report of the last decision."""
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=3), pruner=pruner, study_name="problem-7"
    )
    done = []
    for number in range(n_trials):
        trial, scores = study.ask(), [0.0]
        values = {"x": trial.suggest_float("x", 0.0, 1.0)}
        while len(scores) <= N_DECISIONS:
            scores.append(score(Step(number, len(scores) - 1, values, scores[-1])))
            if len(scores) <= N_DECISIONS:
                trial.report(max(scores[1:]), len(scores) - 1)
                if trial.should_prune():
                    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                    break
        else:
            study.tell(trial, max(scores[1:]))
        done.append((len(scores) - 1, values))
    return done


@pytest.mark.parametrize("name", PRUNERS)
@pytest.mark.parametrize("seed", range(3))
def test_optunas_own_loop_prunes_the_same(name: str, seed: int) -> None:
    """The same scores, with and without this rival around Optuna's pruners.

    It differs by design in one thing: nothing is reported after the last decision, where a run is whole anyhow; Optuna
    would otherwise count some whole runs as pruned.
    """
    score = courses(seed)
    game = play(PRUNERS[name], a_setting(X, N_DECISIONS, 12, 3, problem=7), score)
    pruner = {
        "median": optuna.pruners.MedianPruner(),
        "hyperband": optuna.pruners.HyperbandPruner(1, N_DECISIONS, 3),
    }[name]
    theirs = of_optuna(pruner, score, len(game.stretches) - 1)
    assert [(len(each.values), each.values[0]) for each in game.stretches[:-1]] == theirs
    assert len({length for length, _ in theirs}) > 1

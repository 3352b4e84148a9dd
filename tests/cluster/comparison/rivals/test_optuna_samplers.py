"""CMA-ES and GP on known scores: they begin with the given values, and then sample where scores are high."""

from typing import Any

import numpy as np
import pytest

from cluster.comparison.rivals import optuna_samplers
from cluster.comparison.rivals.optuna_samplers import CMA_ES, GAUSSIAN_PROCESS
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.comparison.rivals.rival import Rival
from qsynth.errors import QsynthError
from tests.cluster.comparison.rivals.known_scores import MIXED, a_setting, near, play

optuna = pytest.importorskip("optuna")
pytest.importorskip("cmaes")
TARGET = {"rate": 3e-3, "share": 0.7, "steps": 2.0, "width": 16.0}
START = {"rate": 3e-4, "share": 0.1, "steps": 4.0, "width": 8.0}
SAMPLERS = {"cma-es": CMA_ES, "gp": GAUSSIAN_PROCESS}
N_RUNS = {"cma-es": 60, "gp": 16}


@pytest.fixture(params=SAMPLERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_first_run_has_the_given_values(name: str) -> None:
    game = play(SAMPLERS[name], a_setting(MIXED, 1, 3, start=START), lambda step: 0.5)
    first, *others = [each.values[0] for each in game.stretches]
    assert first == START
    assert START not in others


def test_it_samples_where_scores_are_high(name: str) -> None:
    """It promotes the best, not the worst: on scores turned round it goes the other way."""
    closeness, n_runs = near(TARGET, MIXED), N_RUNS[name]
    last, turned, drawn = [], [], []
    for seed in range(3):

        def ends(rival: Rival, sign: float, seed: int = seed) -> list[float]:
            setting = a_setting(MIXED, 1, n_runs, seed, START)
            game = play(rival, setting, lambda step: 0.5 + 0.5 * sign * closeness(step.values))
            return [closeness(each.values[0]) for each in game.stretches]

        last.append(np.mean(ends(SAMPLERS[name], 1.0)[-n_runs // 3 :]))
        turned.append(np.mean(ends(SAMPLERS[name], -1.0)[-n_runs // 3 :]))
        drawn.append(np.mean(ends(RANDOM_SEARCH, 1.0)))
    assert np.mean(last) > np.mean(drawn) + 0.05
    assert np.mean(turned) < np.mean(drawn) - 0.05
    assert min(last) > max(turned) + 0.1


def test_values_are_those_of_the_search_space(name: str) -> None:
    game = play(SAMPLERS[name], a_setting(MIXED, 1, 12, start=START), lambda step: step.values["share"])
    for each in game.stretches:
        for key, dimension in MIXED.items():
            assert dimension.low <= each.values[0][key] <= dimension.high
        assert each.values[0]["steps"] == int(each.values[0]["steps"])
        assert each.values[0]["width"] in (4.0, 8.0, 16.0)


def test_it_repeats_itself_and_leaves_the_global_generator_alone(name: str) -> None:
    def values() -> list[Any]:
        game = play(SAMPLERS[name], a_setting(MIXED, 1, 8, 3, START), lambda step: step.values["share"])
        return [each.values[0] for each in game.stretches]

    before = np.random.get_state()[1].tolist()  # type: ignore[union-attr]
    first = values()
    assert np.random.get_state()[1].tolist() == before  # type: ignore[union-attr]
    np.random.seed(5)
    assert values() == first


def test_cma_es_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna_samplers, "find_spec", lambda name: None)
    with pytest.raises(QsynthError, match=r"pip install 'qsynth\[compare\]'"):
        next(CMA_ES.plan(a_setting(MIXED, 1, 1, start=START)))

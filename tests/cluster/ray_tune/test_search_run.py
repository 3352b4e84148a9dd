"""A study's search on Ray Tune: within its budget, kept as it goes, gone on with, and stopped when asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ray import tune

from cluster.ray_tune.search_plan import SearchPlan
from cluster.ray_tune.search_plot import plot_search
from cluster.ray_tune.search_run import SearchRun
from cluster.ray_tune.searched import SearchedTrial, SearchedTrials
from cluster.study.study import Study, changed
from cluster.system.progress import StudyProgress
from qsynth.errors import QsynthError

N_TRIALS, LANES = 8, 2
WHOLE = N_TRIALS // LANES
# Tune's and Optuna's own warnings, and of ours that few candidates are enough for their models.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(900)]


def searching(study: Study, way: str, n_trials: int = N_TRIALS) -> Study:
    scheduler = {"search": way, "budget.agent_trials": n_trials}
    made = changed(study, scheduler)
    assert made.search is not None
    return made.replaced(search=made.search.replaced(lanes_per_trial=LANES))


def run_of(study: Study, folder: Path, asked: Callable[[], bool] = lambda: False) -> SearchRun:
    assert study.search is not None
    plan = SearchPlan(study, study.search, seed=0)
    return SearchRun(
        plan=plan,
        folder=folder / "tune",
        file=folder / "search.json",
        callbacks=(),
        stage=StudyProgress(enabled=False).stage("search", plan.decisions),
        asked=asked,
    )


def known(study: Study, rate: float, score: float) -> SearchedTrial:
    schedule = {"lr_generator": (rate,) * study.episode.n_decisions, "n_critic": (1.0,) * study.episode.n_decisions}
    return SearchedTrial(
        start={"lr_generator": rate, "n_critic": 1.0},
        schedule=schedule,
        score=score,
        decisions=study.episode.n_decisions,
        circuits=1,
        shots=0,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("ray_of_two")
@pytest.mark.parametrize(
    "way", ["random", "tpe", "gp", "cma-es", "asha", "median", "tpe+asha", "hyperband", "pbt", "pb2"]
)
def test_a_search_spends_its_budget_and_keeps_what_it_tried(study: Study, tmp_path: Path, way: str) -> None:
    made = searching(study, way)
    found = run_of(made, tmp_path).execute(compiled=False, most=2)
    n = study.episode.n_decisions
    assert found == SearchedTrials.read(tmp_path / "search.json")
    assert found.over == WHOLE * n
    # What runs when the budget ends is cut at its next result.
    assert WHOLE * n - (n - 1) <= found.decisions <= WHOLE * n + 2
    assert not (tmp_path / "tune").exists()
    assert any(each.start == pytest.approx(study.defaults()) for each in found.trials)
    for each in found.trials:
        for name, dimension in study.trial.search_space.items():
            assert len(each.schedule[name]) <= n
            assert all(dimension.low <= value <= dimension.high for value in each.schedule[name])
    assert found.best().score == max(each.score for each in found.trials)
    plot_search(found.trials, study.trial.search_space, tmp_path / "search.png")
    assert (tmp_path / "search.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("ray_of_two")
def test_a_search_goes_on_from_what_is_kept_and_learns_from_it(study: Study, tmp_path: Path) -> None:
    made = searching(study, "tpe")
    earlier = tuple(known(made, rate, score) for rate, score in ((0.01, 0.5), (0.02, 7.0), (0.05, 0.1)))
    SearchedTrials(trials=earlier).write(tmp_path / "search.json")
    told: list[Any] = []
    sampler = SearchPlan._searcher

    def listening(plan: SearchPlan, finished: Any) -> Any:
        made = sampler(plan, finished)
        told.append(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SearchPlan, "_searcher", listening)
        found = run_of(made, tmp_path).execute(compiled=False, most=2)
    assert found.trials[: len(earlier)] == earlier
    assert len(found.trials) == WHOLE
    assert found.best() == earlier[1]
    heard = [trial.value for trial in told[0]._ot_study.trials]
    assert heard[: len(earlier)] == [each.score for each in earlier]
    again = run_of(made, tmp_path).execute(compiled=False, most=2)  # nothing is left: no Ray is needed
    assert again == found
    larger = run_of(searching(study, "tpe", N_TRIALS + LANES), tmp_path).execute(compiled=False, most=2)
    assert larger.trials[:WHOLE] == found.trials
    assert len(larger.trials) == WHOLE + 1


@pytest.mark.usefixtures("ray_of_two")
def test_who_asks_gets_it_stopped_with_what_is_over_kept(study: Study, tmp_path: Path) -> None:
    made = searching(study, "random", 200)
    file = tmp_path / "search.json"
    found = run_of(made, tmp_path, asked=file.exists).execute(compiled=False, most=2)
    assert found.over == 0
    assert 1 <= len(found.trials) <= 4
    assert found == SearchedTrials.read(file)


@pytest.mark.usefixtures("ray_of_two")
def test_candidates_that_all_break_are_told_in_a_line(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(tune.Trainable):  # type: ignore[misc]  # Ray has no types
        def step(self) -> dict[str, Any]:
            raise RuntimeError("out of order")

    monkeypatch.setattr("cluster.ray_tune.search_run.RETRIES", 0)
    monkeypatch.setattr("cluster.ray_tune.search_run.trainable", lambda *_, **__: Broken)
    with pytest.raises(QsynthError, match=r"search random found nothing: .*out of order") as refused:
        run_of(searching(study, "random", 2 * LANES), tmp_path).execute(compiled=False, most=2)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "search.json").exists()

"""Training on, on a device, under a budget of shots."""

from typing import Any

import numpy as np
import pytest

from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Instance
from qsynth.errors import QsynthError
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from rl_envs.config import make_tuner
from rl_envs.fine_tuning import fine_tuning
from rl_envs.tuner import EpisodeConfig, Tuner
from tests.rl_envs.tiny import TRIAL, environment, feature, instances, tuner

SHOTS = 20


def device(**engine: Any) -> TrialConfig:
    return TrialConfig.model_validate({**TRIAL, "engine": {"name": "default.qubit", "shots": SHOTS, **engine}})


def on_device(n_lanes: int = 1, trial: TrialConfig | None = None, **episode: Any) -> Tuner:
    settings = {"n_decisions": 3, "iterations_per_decision": 2, **episode}
    population = Population(trial or device(), 1, 1, n_lanes)
    return Tuner(population, EpisodeConfig.model_validate(settings), n_measurements=2)


@pytest.fixture(scope="module")
def trained() -> tuple[Snapshot, Instance]:
    made = tuner(1)
    for _ in range(3):
        made.step({})
    return made.population.snapshot(0), instances(1)[0]


def test_it_goes_on_where_the_simulator_stopped_and_keeps_the_best(trained: tuple[Snapshot, Instance]) -> None:
    start, instance = trained
    made = on_device()
    found = list(fine_tuning(made, start, instance))
    assert [len(each.scores) for each in found] == [1, 2, 3, 4]
    assert [each.reason for each in found] == ["", "", "", "budget"]
    last = found[-1]
    assert last.kept == int(np.argmax(last.scores))
    assert last.scores[: len(found[1].scores)] == found[1].scores
    assert last.snapshot.iteration == start.iteration + 2 * last.kept
    assert found[0].snapshot.hyperparameters == start.hyperparameters
    assert found[0].before == found[0].after == last.before
    for name, tensor in found[0].snapshot.tensors.items():
        assert tensor.equal(start.tensors[name])
    assert set(last.after) == {"score", "fidelity", "diversity", "novelty"}


def test_spending_is_what_was_estimated(trained: tuple[Snapshot, Instance]) -> None:
    made = on_device()
    found = list(fine_tuning(made, *trained))
    population = made.population
    wanted = population.evaluation_cost() * 8 + population.iteration_cost() * 6
    assert population.evaluation_cost() == Spend(32, 32 * SHOTS)
    assert found[0].spent == population.evaluation_cost() * 2  # the validation rows, and the test rows
    assert found[-1].spent == wanted


def test_the_budget_of_shots_is_never_overspent_and_shows_in_the_observation(
    trained: tuple[Snapshot, Instance],
) -> None:
    free = on_device().population
    evaluation, iteration = free.evaluation_cost().shots, free.iteration_cost().shots
    # Three iterations and three times both evaluations: the second decision has one iteration instead of two.
    budget = 6 * evaluation + 3 * iteration + iteration // 2
    made = on_device(shot_budget=budget)
    found = list(fine_tuning(made, *trained))
    assert found[-1].reason == "shots"
    assert len(found[-1].scores) == 3
    assert found[-1].spent.shots == 6 * evaluation + 3 * iteration <= budget
    again = on_device(shot_budget=budget)
    observation = again.begin([0], [trained[1]], [trained[0].seed], [trained[0]])
    assert feature(again, observation, "budget.remaining")[0] == pytest.approx(1 - 2 * evaluation / budget, abs=1e-6)
    step = again.step({})
    spent = 2 * evaluation + 2 * iteration
    assert again.shots[0] == spent
    assert feature(again, step.observation, "budget.remaining")[0] == pytest.approx(1 - 2 * spent / budget, abs=1e-6)


def test_lanes_pay_for_their_own_share() -> None:
    made = on_device(n_lanes=2, shot_budget=10**9)
    made.begin([0, 1], instances(2), [1, 2])
    made.step({})
    spent = made.population.spent.shots
    assert made.shots.tolist() == [spent / 2, spent / 2]
    made.begin([1], instances(1), [3])
    assert made.shots[0] == spent / 2
    assert made.shots[1] == made.population.spent.shots - spent


def test_what_is_used_up_stays_so() -> None:
    made = on_device(shot_budget=1)
    made.begin([0], instances(1), [1])
    before = made.population.spent
    for _ in range(2):
        step = made.step({})
        assert step.reason == ["shots"]
        assert step.finished.all()
    assert made.population.spent == before


def test_an_exact_simulator_has_no_shots_to_run_out_of() -> None:
    made = make_tuner(environment(shot_budget=1), 1)
    made.begin([0], instances(1), [1])
    assert made.step({}).reason == [""]
    assert made.shots[0] == 0


def test_a_device_that_fails_ends_it_with_what_there_is(
    trained: tuple[Snapshot, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = on_device()
    steps = fine_tuning(made, *trained)
    first = next(steps)

    def broken(_: int) -> Any:
        raise RuntimeError("the queue is closed")

    monkeypatch.setattr(made.population, "advance", broken)
    [last] = list(steps)
    assert last.reason == "error: RuntimeError: the queue is closed"
    assert (last.kept, last.scores) == (0, first.scores)


def test_a_device_that_never_works_is_an_error(
    trained: tuple[Snapshot, Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = on_device()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no such machine")

    monkeypatch.setattr(made.population, "evaluate", broken)
    with pytest.raises(QsynthError, match=r"can't be measured on its device: .*no such machine"):
        next(fine_tuning(made, *trained))

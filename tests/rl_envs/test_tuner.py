"""Episodes on a population: what they report, and that whatever goes wrong ends them with a reason."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.metrics.score import Scorecard
from rl_envs.decision_result import DecisionResult
from rl_envs.observation import LIMIT
from rl_envs.tuner import Tuner
from tests.rl_envs.tiny import MAX_REWARD, N_DECISIONS, PENALTY, feature, gain, instances, tuner

N_LANES = 3
ERRORS = [RuntimeError("device\n  gone"), MemoryError(), ZeroDivisionError("x" * 1000)]


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


def check_sane(made: Tuner, step: DecisionResult) -> None:
    """Shapes and bounds that hold whatever happened."""
    assert step.observation.shape == (made.population.n_lanes, len(made.features))
    assert np.isfinite(step.observation).all()
    assert (np.abs(step.observation) <= LIMIT).all()
    assert np.isfinite(step.reward).all()
    assert ((step.score >= 0) & (step.score <= 1)).all()
    assert (np.abs(step.reward) <= MAX_REWARD).all()
    assert not (step.failed & step.finished).any()


def check_all_failed(made: Tuner, step: DecisionResult, before: np.ndarray) -> None:
    check_sane(made, step)
    assert step.failed.all()
    assert not step.finished.any()
    np.testing.assert_array_equal(step.score, 0)
    np.testing.assert_allclose(step.reward, gain(before, 0.0) - PENALTY)
    np.testing.assert_array_equal(feature(made, step.observation, "score.now"), -1)


def check_usable(made: Tuner, lanes: list[int] | None = None) -> None:
    """A new episode is that of a tuner that never failed."""
    fresh = tuner(N_LANES)
    chosen = range(N_LANES) if lanes is None else lanes
    made.begin(list(chosen), [instances(N_LANES)[lane] for lane in chosen], [20 + lane for lane in chosen])
    for decision in range(N_DECISIONS):
        one, other = made.step({}), fresh.step({})
        for lane in chosen:
            np.testing.assert_array_equal(one.observation[lane], other.observation[lane])
            assert one.reward[lane] == other.reward[lane]
            assert one.reason[lane] == ("budget" if decision == N_DECISIONS - 1 else "")


def test_an_episode_ends_after_n_decisions() -> None:
    made = tuner(N_LANES)
    for decision in range(1, N_DECISIONS + 1):
        step, last = made.step({}), decision == N_DECISIONS
        check_sane(made, step)
        assert step.finished.tolist() == [last] * N_LANES
        assert not step.failed.any()
        assert step.reason == ["budget" if last else ""] * N_LANES
        np.testing.assert_allclose(feature(made, step.observation, "budget.remaining"), 1 - 2 * decision / N_DECISIONS)
        assert (made.population.iterations == 2 * decision).all()


@pytest.mark.parametrize("iterations", [1, 5, 12])
def test_a_decision_lasts_its_iterations(iterations: int) -> None:
    made = tuner(2, iterations_per_decision=iterations)
    made.step({})
    assert made.population.iterations.tolist() == [iterations] * 2


def test_statistics_of_a_decision_weigh_all_its_iterations() -> None:
    made = tuner(2, iterations_per_decision=7)
    whole = tuner(2, iterations_per_decision=7).population.advance(7)
    step = made.step({})
    np.testing.assert_allclose(
        feature(made, step.observation, "loss.critic"), np.tanh(whole.loss_critic), rtol=1e-3, atol=1e-6
    )


def test_spread_is_compared_with_the_lanes_own_rows() -> None:
    made = tuner(N_LANES)
    trained = tuner(N_LANES).population.advance(2)
    real = np.array([instance.train.x.std() for instance in instances(N_LANES)])
    expected = 0.5 * np.log2(trained.spread / real)
    np.testing.assert_allclose(feature(made, made.step({}).observation, "fake.spread"), expected, rtol=1e-3)


def test_what_is_observed_is_what_happened() -> None:
    made = tuner(N_LANES)
    scores, utilities = [made.score], [made.population.evaluate().utilities]
    for _ in range(N_DECISIONS):
        step = made.step({"lr_generator": np.array([0.1, 0.01, 1e-4]), "n_critic": np.array([1.0, 2.0, 3.0])})
        card = made.population.evaluate()
        np.testing.assert_allclose(step.score, card.score.numpy())
        np.testing.assert_allclose(step.reward, gain(scores[-1], step.score))
        scores.append(step.score)
        utilities.append(card.utilities)
        np.testing.assert_allclose(feature(made, step.observation, "score.now"), 2 * step.score - 1, rtol=1e-6)
        np.testing.assert_allclose(
            feature(made, step.observation, "score.best"), 2 * np.max(scores, axis=0) - 1, rtol=1e-6
        )
        for name in made.metrics:
            change = (utilities[-1][name] - utilities[-2][name]).numpy()
            np.testing.assert_allclose(
                feature(made, step.observation, f"change.{name}"), np.tanh(5 * change), atol=1e-5
            )
            np.testing.assert_allclose(step.raw[name], card.raw[name].numpy())
        np.testing.assert_allclose(feature(made, step.observation, "hyperparameters.n_critic"), [-1, 0, 1])
        np.testing.assert_allclose(
            feature(made, step.observation, "hyperparameters.lr_generator"), [1, 1 / 3, -1], rtol=1e-6
        )
    assert np.ptp(scores) > 0.01  # something happened


def test_a_new_episode_forgets_the_best_score_of_the_last() -> None:
    made = tuner(N_LANES)
    made.best[:] = 1.0
    observation = made.begin([1], instances(1), [5])
    assert feature(made, observation, "score.best").tolist() == [1, 2 * made.score[1] - 1, 1]


def test_returns_depend_on_the_final_and_the_initial_score() -> None:
    made = tuner(N_LANES)
    start, total = made.score, np.zeros(N_LANES)
    for _ in range(N_DECISIONS):
        step = made.step({"lr_generator": np.full(N_LANES, 0.05)})
        total += step.reward
    np.testing.assert_allclose(total, gain(start, step.score), atol=1e-12)
    assert np.abs(total).max() > 1e-3


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["apply", "advance", "evaluate"])
def test_an_exception_ends_all_episodes_and_the_next_ones_are_as_ever(
    method: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tuner(N_LANES)
    before = made.step({}).score
    with monkeypatch.context() as fault:
        fault.setattr(made.population, method, raising(error))
        step = made.step({})
    check_all_failed(made, step, before)
    [reason] = set(step.reason)
    assert reason.startswith(f"error: {type(error).__name__}")
    assert "\n" not in reason
    assert len(reason) <= 300
    check_usable(made)


def test_an_exception_halfway_through_an_advance_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = tuner(N_LANES), [0]
    original = made.population._programs.generator_step

    def second_fails(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise RuntimeError("halfway")
        return original(*arguments)

    before = made.score
    with monkeypatch.context() as fault:
        fault.setattr(made.population._programs, "generator_step", second_fails)
        step = made.step({})
    check_all_failed(made, step, before)
    assert set(step.reason) == {"error: RuntimeError: halfway"}
    check_usable(made)


def test_values_that_are_refused_end_episodes() -> None:
    made = tuner(N_LANES)
    before, values = made.score, made.values["lr_generator"].copy()
    step = made.step({"lr_generator": np.array([0.01, np.nan, 0.01])})
    check_all_failed(made, step, before)
    assert step.reason[0].startswith("error: StudyError: lr_generator must be")
    np.testing.assert_array_equal(made.values["lr_generator"], values)
    check_usable(made)


def test_what_breaks_at_the_start_ends_episodes_at_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuner(N_LANES)
    made.step({})
    for method in ("evaluate", "reset"):
        with monkeypatch.context() as fault:
            fault.setattr(made.population, method, raising(RuntimeError("device gone")))
            observation = made.begin(range(N_LANES), instances(N_LANES), range(N_LANES))
        assert np.isfinite(observation).all()
        np.testing.assert_array_equal(made.score, 0)
        step = made.step({})
        check_all_failed(made, step, np.zeros(N_LANES))
        assert set(step.reason) == {"error: RuntimeError: device gone"}
        check_usable(made)


def test_a_misfit_is_the_callers_error() -> None:
    made = tuner(N_LANES)
    with pytest.raises(QsynthError, match="must have 1 features and 1 classes"):
        made.begin([0], [TableData(name="iris", n_train=30).instance(0, held_out=False)], [1])


def nan_cards(made: Tuner, lanes: list[int]) -> Callable[..., Scorecard]:
    original = made.population.evaluate

    def spoilt(value: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        value[lanes] = torch.nan
        return value

    def evaluate(part: str = "validation") -> Scorecard:
        card = original(part)
        return Scorecard(
            spoilt(card.score),
            {name: spoilt(value) for name, value in card.utilities.items()},
            {name: spoilt(value) for name, value in card.raw.items()},
        )

    return evaluate


@pytest.mark.parametrize("reward", ["shortfall_gain", "best_gain", "literal"])
def test_scores_that_are_no_numbers_count_as_0(reward: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, twin = (tuner(N_LANES, reward={"kind": reward}) for _ in range(2))
    monkeypatch.setattr(made.population, "evaluate", nan_cards(made, [1]))
    for _ in range(N_DECISIONS):
        step, undisturbed = made.step({}), twin.step({})
        assert step.score[1] == 0
        assert np.isfinite(step.reward).all()
        assert np.isfinite(step.observation).all()
        assert np.abs(step.reward).max() <= 10.2
        for lane in (0, 2):
            assert step.reward[lane] == undisturbed.reward[lane]
            np.testing.assert_array_equal(step.observation[lane], undisturbed.observation[lane])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e7])
def test_a_lane_that_diverges_fails_alone(value: float) -> None:
    made, twin = tuner(N_LANES), tuner(N_LANES)
    before = made.step({}).score
    twin.step({})
    made.population._weights.generator[1] = value
    step, undisturbed = made.step({}), twin.step({})
    check_sane(made, step)
    assert step.failed.tolist() == [False, True, False]
    assert not step.finished.any()
    assert step.reason == ["", "diverged", ""]
    assert step.score[1] == 0
    assert step.reward[1] == pytest.approx(gain(before[1], 0.0) - PENALTY)
    assert feature(made, step.observation, "diverged").tolist() == [0, 1, 0]
    for lane in (0, 2):
        assert step.reward[lane] == undisturbed.reward[lane]
        assert step.score[lane] == undisturbed.score[lane]
        np.testing.assert_array_equal(step.observation[lane], undisturbed.observation[lane])
    check_usable(made, [1])


def test_failing_at_the_last_decision_is_failing() -> None:
    made = tuner(2, n_decisions=1)
    made.population.diverged[0] = True
    step = made.step({})
    assert (step.failed.tolist(), step.finished.tolist()) == ([True, False], [False, True])
    assert step.reason == ["diverged", "budget"]


@pytest.mark.parametrize(("iterations", "done"), [(2, 2), (30, 5)])
def test_a_step_that_takes_too_long_ends_episodes(iterations: int, done: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuner(N_LANES, iterations_per_decision=iterations, step_timeout_s=0.2)
    original, before = made.population.advance, made.score

    def slow(n_iterations: int) -> Any:
        time.sleep(0.3)
        return original(n_iterations)

    with monkeypatch.context() as fault:
        fault.setattr(made.population, "advance", slow)
        step = made.step({})
    check_all_failed(made, step, before)
    assert step.reason == ["timeout"] * N_LANES
    assert (made.population.iterations == done).all()  # it did not go on
    made.begin(range(N_LANES), instances(N_LANES), range(N_LANES))
    object.__setattr__(made.episode, "step_timeout_s", 60.0)
    assert made.step({}).reason == [""] * N_LANES

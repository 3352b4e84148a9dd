"""Playing assignments: in order, whatever the waves, with the numbers of the trials they belong to."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from qsynth.metrics.score import Scorecard
from qsynth.space.search_space import random_values
from rl_envs.agents import Agent, Hold, LaneValues, Schedule
from rl_envs.config import make_tuner
from rl_envs.exam import N_FRESH, examine
from rl_envs.rollout import Assignment, Episode, play
from rl_envs.tuner import Tuner
from tests.rl_envs.tiny import N_DECISIONS, SPACE, environment, instances

DRAWN = dict(random_values(SPACE, np.random.default_rng(1), 5))
ASSIGNMENTS = [Assignment(instance, seed) for instance, seed in zip(instances(5), (50, 40, 30, 20, 10), strict=True)]
RATES = np.array([0.001, 0.01, 0.02, 0.05, 0.1])


def tuner(n_lanes: int, **episode: Any) -> Tuner:
    return make_tuner(environment(**episode), n_lanes)


def rates(wave: slice) -> Agent:
    return Schedule({"lr_generator": RATES[wave]}, 0.5)


class Recorder:
    """Notes when it is asked."""

    name = "recorder"

    def __init__(self, start: LaneValues) -> None:
        self.start, self.progress = start, list[float]()

    def begin(self, n_lanes: int) -> LaneValues:
        return self.start

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        self.progress.append(progress)
        return {}


def test_episodes_come_in_the_order_of_assignments() -> None:
    waves: list[slice] = []

    def agent_for(wave: slice) -> Agent:
        waves.append(wave)
        return Hold()

    episodes = play(tuner(2), agent_for, ASSIGNMENTS)
    assert [(e.instance, e.seed) for e in episodes] == [(a.instance.key, a.seed) for a in ASSIGNMENTS]
    assert [(wave.start, wave.stop) for wave in waves] == [(0, 2), (2, 4), (4, 5)]
    for episode in episodes:
        assert episode.scores.shape == (N_DECISIONS + 1,)
        assert ((episode.scores >= 0) & (episode.scores <= 2)).all()
        assert {name: values.shape for name, values in episode.schedule.items()} == dict.fromkeys(SPACE, (N_DECISIONS,))
        assert set(episode.raw) == {"fidelity", "diversity", "novelty"}
        assert set(episode.utilities) == set(episode.raw)
        assert all(values.shape == (N_DECISIONS + 1,) for values in episode.raw.values())
        for utility in episode.utilities.values():
            assert utility.shape == (N_DECISIONS + 1,)
            assert ((utility >= 0) & (utility <= 2)).all()
        assert episode.reason == "budget"
        assert (episode.test_score, episode.test_raw, episode.snapshot) == (None, {}, None)


def test_waves_do_not_matter() -> None:
    one, two, five = (play(tuner(n), rates, ASSIGNMENTS, test=True) for n in (1, 2, 5))
    for other in (one, two):
        for episode, expected in zip(other, five, strict=True):
            np.testing.assert_allclose(episode.scores, expected.scores, atol=1e-4)
            assert episode.test_score == pytest.approx(expected.test_score, abs=1e-4)
            for name, values in expected.schedule.items():
                np.testing.assert_array_equal(episode.schedule[name], values)
            for name, values in expected.raw.items():
                np.testing.assert_allclose(episode.raw[name], values, atol=1e-4)
    assert len({episode.raw["fidelity"].tobytes() for episode in five}) == 5


def test_a_used_tuner_plays_as_a_new_one() -> None:
    used = tuner(2)
    first = play(used, rates, ASSIGNMENTS)
    for one, other in zip(first, play(used, rates, ASSIGNMENTS), strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_the_schedule_holds_the_values_in_force() -> None:
    episodes = play(tuner(2), rates, ASSIGNMENTS)
    for episode, rate in zip(episodes, RATES, strict=True):
        expected = rate * 0.5 ** (np.arange(N_DECISIONS) / N_DECISIONS)
        np.testing.assert_allclose(episode.schedule["lr_generator"], expected)
        assert (episode.schedule["beta1"] == environment().trial.defaults.beta1).all()


def test_losses_are_those_of_the_iterations_in_between() -> None:
    [episode] = play(tuner(1), lambda _: Hold(), ASSIGNMENTS[:1])
    population = tuner(1).population
    population.reset([0], [ASSIGNMENTS[0].instance], [ASSIGNMENTS[0].seed])
    for decision in range(N_DECISIONS):
        expected = vars(population.advance(environment().episode.iterations_per_decision))
        assert set(episode.training) == set(expected) > {"loss_generator", "loss_critic"}
        for name, value in expected.items():
            assert episode.training[name][decision] == pytest.approx(value[0], abs=1e-5)


def test_the_first_values_act_from_the_first_iteration() -> None:
    [held] = play(tuner(1), lambda _: Hold(), ASSIGNMENTS[:1])
    [fast] = play(tuner(1), lambda _: rates(slice(4, 5)), ASSIGNMENTS[:1])
    assert held.scores[0] == fast.scores[0]
    assert held.raw["fidelity"][1] != fast.raw["fidelity"][1]


def test_without_a_search_space_all_values_are_recorded() -> None:
    config = environment()
    fixed = config.replaced(trial=config.trial.replaced(search_space={}))
    [episode] = play(make_tuner(fixed, 1), lambda _: Hold(), ASSIGNMENTS[:1])
    assert {"lr_generator", "gp_weight", "n_layers"} <= set(episode.schedule)


@pytest.mark.parametrize(("start", "expected"), [({}, [0, 1 / 3, 2 / 3]), ({"beta1": np.array([0.4])}, [1 / 3, 2 / 3])])
def test_an_agent_decides_before_every_decision_but_one_it_has_begun_with(
    start: LaneValues, expected: list[float]
) -> None:
    agent = Recorder(start)
    play(tuner(1), lambda _: agent, ASSIGNMENTS[:1])
    assert agent.progress == pytest.approx(expected)


def test_a_clock_that_is_set_back_makes_no_trial_end_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10_000.0, *([6_400.0] * 99)])
    monkeypatch.setattr(time, "time", lambda: next(clock))
    [episode] = play(tuner(1), lambda _: Hold(), ASSIGNMENTS[:1])
    assert episode.began == 10_000.0
    assert 10_000.0 < episode.ended < 10_600.0


def test_test_rows_are_looked_at_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made, parts = tuner(2), list[str]()
    original = made.population.evaluate

    def evaluate(part: str = "validation", seeds: Sequence[int] | None = None) -> Scorecard:
        parts.append(part)
        return original(part, seeds)

    monkeypatch.setattr(made.population, "evaluate", evaluate)
    play(made, rates, ASSIGNMENTS[:2])
    assert set(parts) == {"validation"}
    parts.clear()
    episodes = play(made, rates, ASSIGNMENTS[:2], test=True)
    assert parts == ["validation"] * (N_DECISIONS + 1) + ["test"] * N_FRESH
    with_own_noise, with_fresh = original("test"), examine(made.population, [0, 0])
    for lane, episode in enumerate(episodes):
        assert episode.test_score == float(with_fresh.score[lane])
        assert episode.test_raw["fidelity"] != float(with_own_noise.raw["fidelity"][lane])
        assert episode.test_raw == {name: float(value[lane]) for name, value in with_fresh.raw.items()}
        assert episode.test_raw["fidelity"] != episode.raw["fidelity"][-1]


def check_failed(episode: Episode, expected: Episode, at: int, reason: str) -> None:
    """It went as expected up to decision ``at``, then failed for good."""
    np.testing.assert_array_equal(episode.scores[:at], expected.scores[:at])
    np.testing.assert_array_equal(episode.scores[at:], 0)
    assert episode.scores.shape == (N_DECISIONS + 1,)
    assert episode.reason.startswith(reason)
    assert episode.test_score == 0


def test_a_failed_trial_scores_0_from_then_on_and_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = play(tuner(3), lambda _: Hold(), ASSIGNMENTS[:3], test=True)
    assert expected[1].scores.all()  # so that a 0 means something
    made, calls = tuner(3), [0]
    original = made.population.advance

    def advance(n_iterations: int) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            made.population._weights.critic[1] = np.inf
        return original(n_iterations)

    monkeypatch.setattr(made.population, "advance", advance)
    episodes = play(made, lambda _: Hold(), ASSIGNMENTS[:3], test=True)
    check_failed(episodes[1], expected[1], 2, "diverged")
    for lane in (0, 2):
        np.testing.assert_array_equal(episodes[lane].scores, expected[lane].scores)
        assert episodes[lane].reason == "budget"
        assert episodes[lane].test_score == expected[lane].test_score


def test_a_fault_fails_its_wave_even_if_the_rest_works(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = play(tuner(2), lambda _: Hold(), ASSIGNMENTS[:4], test=True)
    made, calls = tuner(2), [0]
    original = made.population.advance

    def advance(n_iterations: int) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise MemoryError("full")
        return original(n_iterations)

    monkeypatch.setattr(made.population, "advance", advance)
    episodes = play(made, lambda _: Hold(), ASSIGNMENTS[:4], test=True)
    for lane in (0, 1):
        check_failed(episodes[lane], expected[lane], 2, "error: MemoryError: full")
    for lane in (2, 3):
        np.testing.assert_array_equal(episodes[lane].scores, expected[lane].scores)
        assert episodes[lane].reason == "budget"
    assert [np.isfinite(values).sum() for values in episodes[0].training.values()] == [1] * len(episodes[0].training)
    assert calls[0] == 2 + N_DECISIONS  # a wave of which nothing is left trains no further


def test_what_cant_be_tested_scores_0_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    made = tuner(2)
    original = made.population.evaluate

    def evaluate(part: str = "validation", seeds: Sequence[int] | None = None) -> Scorecard:
        if part == "test":
            raise ConnectionError("device\nlost")
        return original(part, seeds)

    monkeypatch.setattr(made.population, "evaluate", evaluate)
    for episode in play(made, lambda _: Hold(), ASSIGNMENTS[:2], test=True):
        assert episode.scores.all()
        assert (episode.test_score, episode.test_raw) == (0.0, {})
        assert episode.reason == "error: ConnectionError: device lost"


def test_snapshots_restore_what_was_scored() -> None:
    made = tuner(2)
    episodes = play(made, lambda _: Schedule(DRAWN), ASSIGNMENTS[:3], test=True, snapshots=True)
    fresh = tuner(2)
    fresh.begin(range(2), instances(2), [1, 2])
    for assignment, episode in zip(ASSIGNMENTS, episodes, strict=False):
        assert episode.snapshot is not None
        assert (episode.snapshot.instance, episode.snapshot.seed) == (assignment.instance.key, assignment.seed)
        assert episode.snapshot.iteration == 2 * N_DECISIONS
        for name in SPACE:
            assert episode.snapshot.hyperparameters[name] == episode.schedule[name][-1]
        fresh.population.restore(1, episode.snapshot, assignment.instance)
        assert float(fresh.population.evaluate().score[1]) == pytest.approx(episode.scores[-1], abs=1e-5)
        assert float(examine(fresh.population, [0, 0]).score[1]) == pytest.approx(episode.test_score, abs=1e-5)


def test_the_best_moment_is_kept_on_request_and_it_is_what_the_test_rows_measure() -> None:
    """Rates that are far too high make trials worse than they were."""

    def wild(wave: slice) -> Agent:
        return Schedule({"lr_generator": np.full(len(ASSIGNMENTS), 0.9)[wave]})

    made = tuner(2)
    last = play(made, wild, ASSIGNMENTS, test=True, snapshots=True)
    best = play(made, wild, ASSIGNMENTS, test=True, snapshots=True, keep="best")
    earlier = 0
    for one, other, assignment in zip(last, best, ASSIGNMENTS, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        decision = 1 + int(np.argmax(other.scores[1:]))
        assert other.snapshot is not None
        assert other.snapshot.iteration == 2 * decision
        alone = tuner(1)
        alone.begin([0], [assignment.instance], [assignment.seed], [other.snapshot])
        assert alone.score[0] == pytest.approx(other.scores[decision], abs=1e-4)
        card, _ = alone.measure_test([assignment.problem])
        assert card is not None
        assert float(card.score[0]) == pytest.approx(other.test_score, abs=1e-4)
        earlier += decision < N_DECISIONS
        if decision == N_DECISIONS:
            assert one.test_score == pytest.approx(other.test_score)
    assert earlier > 0

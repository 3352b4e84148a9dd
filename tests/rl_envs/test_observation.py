"""Observations: every named feature shows what it says, in bounds, and is finite whatever happens."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from qsynth.population.health import AILMENTS
from qsynth.population.training_statistics import TrainingStatistics
from rl_envs import problem
from rl_envs.observation import LIMIT, LaneStates, feature_names, observation_space, observe, without_feedback
from tests.rl_envs.tiny import SPACE

METRICS = ["fidelity", "diversity"]
NAMES = feature_names(SPACE, METRICS)
N_LANES = 2
STATISTICS = {
    "loss_generator": "loss.generator",
    "loss_critic": "loss.critic",
    "critic_gap": "critic.gap",
    "penalty": "critic.penalty",
    "gradient_generator": "gradient.generator",
    "gradient_critic": "gradient.critic",
    "spread": "fake.spread",
    "saturation": "fake.saturation",
}
PER_METRIC = {"utilities": "utility", "changes": "change", "raw": "raw"}


def lanes(value: float) -> np.ndarray:
    return np.full(N_LANES, value)


def moment(**changes: Any) -> LaneStates:
    plain = LaneStates(
        training=TrainingStatistics(**{each.name: lanes(0.2) for each in fields(TrainingStatistics)}),
        real_spread=lanes(0.2),
        raw=dict.fromkeys(METRICS, lanes(0.1)),
        utilities=dict.fromkeys(METRICS, lanes(0.5)),
        changes=dict.fromkeys(METRICS, lanes(0.0)),
        score=lanes(0.5),
        best=lanes(0.5),
        values={"lr_generator": lanes(1e-3), "beta1": lanes(0.3), "n_critic": lanes(2.0), "batch_size": lanes(4.0)},
        progress=lanes(0.5),
        ailments={name: np.zeros(N_LANES, dtype=bool) for name in AILMENTS},
        diverged=np.zeros(N_LANES, dtype=bool),
        problem=dict.fromkeys(problem.NAMES, lanes(0.0)),
    )
    return replace(plain, **changes)


def training(**changes: np.ndarray) -> dict[str, TrainingStatistics]:
    present = moment().training
    assert present is not None
    return {"training": replace(present, **changes)}


def seen(what: LaneStates) -> dict[str, np.ndarray]:
    observation = observe(what, SPACE, METRICS)
    assert observation.shape == (N_LANES, len(NAMES))
    return dict(zip(NAMES, observation.T, strict=True))


def only_changed(name: str, **changes: Any) -> float:
    """How far lane 1 moved in the one feature that is to move; nothing else may."""
    before, after = seen(moment()), seen(moment(**changes))
    for other, value in before.items():
        assert after[other][0] == value[0], f"lane 0 moved in {other}"
        if other != name:
            assert after[other][1] == value[1], f"{other} moved"
    return float(after[name][1] - before[name][1])


def second(value: float, usual: float) -> np.ndarray:
    """Another value in lane 1 alone."""
    return np.array([usual, value])


def test_names_fit_the_space() -> None:
    space = observation_space(SPACE, METRICS)
    assert space.shape == (len(NAMES),)
    assert len(set(NAMES)) == len(NAMES)
    assert space.dtype == np.float32
    assert [name for name in NAMES if name.startswith("hyperparameters.")] == [
        f"hyperparameters.{name}" for name in sorted(SPACE)
    ]
    assert all(space.contains(row) for row in observe(moment(), SPACE, METRICS))


@pytest.mark.parametrize(("field", "name"), STATISTICS.items())
def test_training_statistics_show(field: str, name: str) -> None:
    assert only_changed(name, **training(**{field: second(0.4, 0.2)})) > 0.01
    assert only_changed(name, **training(**{field: second(0.1, 0.2)})) < -0.01


@pytest.mark.parametrize(("field", "name"), {"score": "score.now", "best": "score.best"}.items())
def test_scores_run_from_minus_1_to_1(field: str, name: str) -> None:
    assert only_changed(name, **{field: second(1.0, 0.5)}) == 1.0
    assert only_changed(name, **{field: second(0.0, 0.5)}) == -1.0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("field", "kind"), PER_METRIC.items())
def test_each_metric_shows_under_its_own_name(field: str, kind: str, metric: str) -> None:
    plain = getattr(moment(), field)
    for step, sign in ((0.05, 1), (-0.05, -1)):
        changed = {**plain, metric: plain[metric] + np.array([0.0, step])}
        assert sign * only_changed(f"{kind}.{metric}", **{field: changed}) > 0.05


@pytest.mark.parametrize("name", sorted(SPACE))
def test_hyperparameters_show_on_their_own_scale(name: str) -> None:
    dimension, plain = SPACE[name], moment().values
    for value, expected in ((dimension.low, -1.0), (dimension.high, 1.0)):
        after = seen(moment(values={**plain, name: second(value, plain[name][0])}))
        assert after[f"hyperparameters.{name}"][1] == pytest.approx(expected)
        only_changed(f"hyperparameters.{name}", values={**plain, name: second(value, plain[name][0])})


def test_budget_and_divergence_show() -> None:
    assert only_changed("diverged", diverged=np.array([False, True])) == 1.0
    assert only_changed("budget.remaining", progress=second(1.0, 0.5)) == -1.0
    assert only_changed("budget.remaining", progress=second(0.0, 0.5)) == 1.0


@pytest.mark.parametrize("name", AILMENTS)
def test_each_ailment_shows_under_its_own_name(name: str) -> None:
    sick = {**moment().ailments, name: np.array([False, True])}
    assert only_changed(f"ailment.{name}", ailments=sick) == 1.0


@pytest.mark.parametrize("name", problem.NAMES)
def test_what_is_known_of_a_problem_shows_under_its_own_name(name: str) -> None:
    known = {**moment().problem, name: second(0.7, 0.0)}
    assert only_changed(f"problem.{name}", problem=known) == pytest.approx(0.7)


def test_without_feedback_nothing_moves_while_a_trial_runs_but_the_budget_and_what_the_agent_did() -> None:
    told = without_feedback(NAMES)
    assert told == [name for name in NAMES if name.startswith(("budget", "problem", "hyperparameters"))]
    trained = moment(
        **training(**{each: lanes(0.9) for each in STATISTICS}),
        raw=dict.fromkeys(METRICS, lanes(0.5)),
        utilities=dict.fromkeys(METRICS, lanes(0.9)),
        changes=dict.fromkeys(METRICS, lanes(0.4)),
        score=lanes(0.9),
        best=lanes(0.9),
        ailments={name: np.ones(N_LANES, dtype=bool) for name in AILMENTS},
        diverged=np.ones(N_LANES, dtype=bool),
    )
    before, after = seen(moment()), seen(trained)
    assert all((before[name] == after[name]).all() for name in told)
    assert not any((before[name] == after[name]).any() for name in NAMES if name not in told)


def test_spread_is_relative_to_the_real_rows() -> None:
    assert seen(moment())["fake.spread"][0] == 0
    assert only_changed("fake.spread", real_spread=second(0.4, 0.2)) == pytest.approx(-0.5)
    assert only_changed("fake.spread", **training(spread=second(0.4, 0.2))) == pytest.approx(0.5)


def test_scales_are_the_documented_ones() -> None:
    plain = seen(moment())
    assert plain["loss.generator"][0] == pytest.approx(np.tanh(0.2))
    assert plain["critic.gap"][0] == pytest.approx(np.tanh(0.6))
    assert plain["gradient.critic"][0] == pytest.approx(np.log10(0.2) / 2)
    assert plain["fake.saturation"][0] == pytest.approx(-0.6)
    assert plain["raw.fidelity"][0] == pytest.approx(0.0)


def test_before_training_the_statistics_are_0() -> None:
    fresh = seen(moment(training=None))
    assert all((fresh[name] == 0).all() for name in STATISTICS.values())
    assert fresh["score.now"][0] == 0
    assert fresh["raw.fidelity"][0] == pytest.approx(0.0)


def test_what_lies_outside_is_clipped() -> None:
    high = seen(moment(raw=dict.fromkeys(METRICS, lanes(1e9)), **training(gradient_critic=lanes(1e30))))
    assert (high["raw.fidelity"] == LIMIT).all()
    assert (high["gradient.critic"] == LIMIT).all()
    low = seen(moment(raw=dict.fromkeys(METRICS, lanes(0.0)), **training(gradient_critic=lanes(0.0))))
    assert (low["raw.fidelity"] == -LIMIT).all()
    assert (low["gradient.critic"] == -LIMIT).all()
    assert (seen(moment(score=lanes(9.0)))["score.now"] == LIMIT).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_a_broken_lane_is_finite_and_leaves_its_neighbour_alone(bad: float) -> None:
    plain, broken = moment(), second(bad, 0.2)
    everything = moment(
        training=TrainingStatistics(**{each.name: broken for each in fields(TrainingStatistics)}),
        raw=dict.fromkeys(METRICS, second(bad, 0.1)),
        utilities=dict.fromkeys(METRICS, second(bad, 0.5)),
        changes=dict.fromkeys(METRICS, second(bad, 0.0)),
        score=second(bad, 0.5),
        best=second(bad, 0.5),
    )
    observation = observe(everything, SPACE, METRICS)
    space = observation_space(SPACE, METRICS)
    assert observation.dtype == np.float32
    assert np.isfinite(observation).all()
    assert all(space.contains(row) for row in observation)
    np.testing.assert_array_equal(observation[0], observe(plain, SPACE, METRICS)[0])


def test_a_loss_that_could_not_be_measured_does_not_look_like_the_best() -> None:
    broken = seen(moment(raw=dict.fromkeys(METRICS, second(np.nan, 0.1))))
    assert broken["raw.fidelity"][1] > seen(moment(raw=dict.fromkeys(METRICS, lanes(1e-3))))["raw.fidelity"][1]

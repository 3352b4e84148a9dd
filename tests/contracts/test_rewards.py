"""What every reward must hold to: lanes apart, finite and bounded whatever happens, and failing costs."""

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qsynth.population.training_statistics import TrainingStatistics
from rl_envs.reward import REWARDS, BestGain, Effect, LiteralComposite, ShortfallGain
from rl_envs.tuner import EpisodeConfig
from tests.rl_envs.tiny import N_DECISIONS, SPACE, tuner

FORMS: list[type[Any]] = [REWARDS[kind] for kind in REWARDS]
METRICS = ("fidelity", "diversity", "balance", "utility")
N_LANES = 4
GOOD, BAD = 0.9, 0.2


@pytest.fixture(params=FORMS, ids=lambda form: form.__name__)
def form(request: pytest.FixtureRequest) -> type[Any]:
    found: type[Any] = request.param
    return found


def column(value: float) -> np.ndarray:
    return np.full(N_LANES, value)


def outcome(**changes: Any) -> Effect:
    """Lanes that are all alike."""
    plain = Effect(
        before=column(0.5),
        after=column(0.6),
        best=column(0.5),
        failed=np.zeros(N_LANES, dtype=bool),
        raw=dict.fromkeys(METRICS, column(0.1)),
        loss_generator=column(0.3),
        loss_critic=column(-0.2),
    )
    return replace(plain, **changes)


def failure() -> Effect:
    """The same lanes; the first has failed."""
    failed, after = np.array([True, False, False, False]), column(0.6)
    after[0] = 0.0
    return outcome(failed=failed, after=after)


def test_a_study_names_it_by_its_kind(form: type[Any]) -> None:
    kind = form.model_fields["kind"].default
    assert EpisodeConfig.model_validate({"reward": {"kind": kind}}).reward == form()
    assert len({each.model_fields["kind"].default for each in FORMS}) == len(FORMS)


def test_lanes_are_rewarded_apart(form: type[Any]) -> None:
    plain, failed = form()(outcome()), form()(failure())
    assert plain.shape == (N_LANES,)
    np.testing.assert_array_equal(plain, plain[0])
    np.testing.assert_array_equal(failed[1:], plain[1:])


def test_failing_costs_its_penalty_once_and_only_the_lane_that_fails(form: type[Any]) -> None:
    cheap, dear = form(failure_penalty=0.5)(failure()), form(failure_penalty=1.5)(failure())
    np.testing.assert_allclose(cheap - dear, [1, 0, 0, 0])
    assert form()(failure())[0] < 0
    np.testing.assert_allclose(form(failure_penalty=9)(outcome()), form()(outcome()))


def test_what_a_failed_trial_measured_earns_nothing(form: type[Any]) -> None:
    for value in (5.0, -5.0, np.nan, np.inf):
        losses = {"loss_generator": column(value), "loss_critic": column(value)}
        odd = replace(failure(), raw=dict.fromkeys(METRICS, column(value)), **losses)
        assert form()(odd)[0] == form()(failure())[0]


ANY = st.floats(width=64) | st.sampled_from([np.nan, np.inf, -np.inf, 1.8e308])
SCORES = arrays.arrays(float, N_LANES, elements=st.floats(0, 1))
ANYTHING = arrays.arrays(float, N_LANES, elements=ANY)
FLAGS = arrays.arrays(bool, N_LANES)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(SCORES, SCORES, SCORES, FLAGS, st.tuples(*[ANYTHING] * 4), ANYTHING, ANYTHING)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_it_is_finite_and_bounded_whatever_happens(
    form: type[Any],
    before: np.ndarray,
    after: np.ndarray,
    best: np.ndarray,
    failed: np.ndarray,
    raw: tuple[np.ndarray, ...],
    loss_generator: np.ndarray,
    loss_critic: np.ndarray,
) -> None:
    with np.errstate(over="ignore"):
        reward = form()(
            Effect(
                before=before,
                after=np.where(failed, 0.0, after),
                best=np.maximum(before, best),
                failed=failed,
                raw=dict(zip(METRICS, raw, strict=True)),
                loss_generator=loss_generator,
                loss_critic=loss_critic,
            )
        )
    limit = 10.0 if form is LiteralComposite else np.log(11.0)
    assert np.isfinite(reward).all()
    assert (np.abs(reward) <= limit + 0.2 + 1e-9).all()


@pytest.mark.parametrize("form", [each for each in FORMS if each is not LiteralComposite])
def test_a_better_score_is_never_worth_less(form: type[Any]) -> None:
    rewards = [form()(outcome(after=column(score)))[0] for score in (0, 0.3, 0.6, 1)]
    assert rewards == sorted(rewards)
    # 0 and 0.3 are both below the best score so far.
    assert len(set(rewards)) == (3 if form is BestGain else 4)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.lists(SCORES, min_size=2, max_size=6))
@pytest.mark.parametrize("slack", [0.1, 0.5])
def test_gains_add_up_to_final_minus_initial_whatever_the_way(slack: float, path: list[np.ndarray]) -> None:
    reward = ShortfallGain(slack=slack)
    total = sum(reward(outcome(before=one, after=two)) for one, two in pairwise(path))
    expected = np.log(1.0 + slack - path[0]) - np.log(1.0 + slack - path[-1])
    np.testing.assert_allclose(total, expected, atol=1e-12)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.lists(SCORES, min_size=2, max_size=6))
def test_best_gains_add_up_to_the_best_score_whatever_comes_after_it(path: list[np.ndarray]) -> None:
    best = np.maximum.accumulate(path)
    rewards = [
        BestGain()(outcome(before=one, after=two, best=so_far))
        for (one, two), so_far in zip(pairwise(path), best, strict=False)
    ]
    np.testing.assert_allclose(sum(rewards), np.log(1.1 - path[0]) - np.log(1.1 - best[-1]), atol=1e-12)
    assert all((reward >= 0).all() for reward in rewards)


def test_gains_near_the_ceiling_count_more() -> None:
    low, high = (outcome(before=column(s), after=column(s + 0.1)) for s in (0.1, 0.9))
    assert (ShortfallGain()(high) > 2 * ShortfallGain()(low)).all()


def test_the_literal_formula_is_the_papers() -> None:
    raw = {"utility": column(1.0), "diversity": column(0.5), "balance": column(0.25), "fidelity": column(7.0)}
    weights = (2.0, 3.0, 5.0, 7.0)
    found = LiteralComposite(weights=weights)(outcome(raw=raw, loss_generator=column(0.3), loss_critic=column(-0.2)))
    np.testing.assert_allclose(found, 2 * 1.0 + 3 * 0.5 - 5 * 0.25 + 7 * 0.1)


@pytest.mark.parametrize("metric", ["utility", "diversity"])
def test_the_literal_formula_pays_for_a_worse_loss_and_no_other_form_does(metric: str, form: type[Any]) -> None:
    # What is worse by one metric scores less.
    better = outcome(raw={**outcome().raw, metric: column(0.1)}, after=column(GOOD))
    worse = outcome(raw={**outcome().raw, metric: column(0.8)}, after=column(BAD))
    gains_by_worse = form()(worse) - form()(better)
    assert (gains_by_worse > 0).all() if form is LiteralComposite else (gains_by_worse <= 0).all()


def test_it_sees_no_hyperparameters(form: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert {field.name for field in fields(Effect)} == {
        "before",
        "after",
        "best",
        "failed",
        "raw",
        "loss_generator",
        "loss_critic",
    }
    made = tuner(N_LANES, reward={"kind": form.model_fields["kind"].default})
    made.begin(range(N_LANES), [made.population._assigned()[0]] * N_LANES, [1] * N_LANES)
    card = made.population.evaluate()
    statistics = TrainingStatistics(**{each.name: column(0.1) for each in fields(TrainingStatistics)})
    monkeypatch.setattr(made.population, "evaluate", lambda: card)
    monkeypatch.setattr(made.population, "advance", lambda _: statistics)
    random = np.random.default_rng(0)
    for _ in range(N_DECISIONS):
        step = made.step({name: dimension.from_unit(random.random(N_LANES)) for name, dimension in SPACE.items()})
        assert len(set(step.reward)) == 1

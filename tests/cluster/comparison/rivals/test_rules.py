"""Rules of thumb: rates fall, the critic is held back when it is ahead, and runs end when nothing comes of them."""

import numpy as np
import pytest

from cluster.comparison.rivals.rival import Moment, Setting, Stretch
from cluster.comparison.rivals.rules import GAP, LAST, MOST, PATIENCE, RULES
from qsynth.space.search_space import Float, SearchSpace
from tests.cluster.comparison.rivals.known_scores import a_setting, play

RATES: SearchSpace = {
    "lr_critic": Float(low=1e-5, high=1.0, log=True),
    "lr_generator": Float(low=1e-5, high=1.0, log=True),
    "gp_weight": Float(low=0.0, high=10.0),
}
START = {"lr_critic": 1e-2, "lr_generator": 1e-3, "gp_weight": 1.0}


def rising(n_decisions: int = 20) -> Setting:
    return a_setting(RATES, n_decisions, 2, 0, START)


def ratios(gaps: list[float], features: list[str]) -> list[float]:
    """The critic's rate over the generator's, in units of the start's, under these gaps with a rising score."""
    setting = Setting(**{**vars(rising()), "features": features})
    [stretch] = next(RULES.plan(setting))
    assert isinstance(stretch, Stretch)
    found = []
    for decision, gap in enumerate(gaps):
        seen = np.array([0.0] * (len(features) - 1) + [gap], dtype=np.float32)
        changes = stretch.steer(Moment(decision, 0.1 + 0.01 * decision, seen, dict(START)))
        assert changes is not None
        found.append(changes["lr_critic"] / changes["lr_generator"] / 10)
    return found


def test_both_rates_fall_to_a_tenth_along_a_cosine() -> None:
    game = play(RULES, rising(), lambda step: step.before + 0.01)
    rates = np.array([[each["lr_generator"], each["lr_critic"]] for each in game.stretches[0].values])
    assert rates[0] == pytest.approx([1e-3, 1e-2])
    assert rates[10] == pytest.approx([1e-3 * (1 + LAST) / 2, 1e-2 * (1 + LAST) / 2])
    assert (np.diff(rates[:, 0]) < 0).all()
    assert LAST * 1e-3 < rates[-1, 0] < 0.11 * 1e-3
    assert all(each["gp_weight"] == 1.0 for each in game.stretches[0].values)


def test_a_critic_that_is_ahead_learns_more_slowly_and_one_that_is_behind_faster() -> None:
    features = ["score.now", GAP]
    assert ratios([0.9, 0.9, 0.9, 0.3, 0.0, 0.0], features) == pytest.approx([1, 0.5, 0.25, 0.25, 0.5, 1])
    assert ratios([0.9] * 12, features)[-1] == pytest.approx(1 / MOST)
    assert ratios([0.0] * 12, features)[-1] == pytest.approx(MOST)
    assert ratios([0.9, 0.9, 0.0], ["score.now", "other"]) == pytest.approx([1, 1, 1])


def test_a_run_without_a_better_score_ends_and_pays_for_another() -> None:
    game = play(RULES, rising(), lambda step: 0.5 if step.done < 3 else 0.4)
    lengths = [len(each.outcome.scores) - 1 for each in game.stretches]
    assert lengths[0] == 1 + PATIENCE
    assert len(game.stretches) > 2
    assert sum(lengths) == 40
    assert [each.trial for each in game.stretches] == list(range(len(lengths)))


def test_a_run_that_gets_better_goes_on_to_the_end() -> None:
    game = play(RULES, rising(), lambda step: step.before + 0.01)
    assert [len(each.outcome.scores) - 1 for each in game.stretches] == [20, 20]


def test_rates_stay_in_their_space_and_what_may_not_be_tuned_is_left_alone() -> None:
    narrow: SearchSpace = {"lr_generator": Float(low=9e-4, high=2e-3, log=True)}
    game = play(RULES, a_setting(narrow, 10, 1, 0, {"lr_generator": 1e-3}), lambda step: step.before + 0.01)
    values = game.stretches[0].values
    assert values[-1] == {"lr_generator": 9e-4}
    assert all(set(each) == {"lr_generator"} for each in values)

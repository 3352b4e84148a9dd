"""The bandit on known rewards: it pulls the arm that pays, credits the arm that was pulled, and forgets."""

from itertools import pairwise

import numpy as np
import pytest

from cluster.comparison.rivals.bandit import BANDIT, DISCOUNT, EXPLORATION, STEP, DiscountedUCB
from tests.cluster.comparison.rivals.known_scores import MIXED, Game, Step, X, a_setting, play

START = {"rate": 1e-3, "share": 0.45, "steps": 3.0, "width": 8.0}


def pulls(means: list[list[float]], n: int, seed: int = 0) -> list[int]:
    """Arms pulled; rewards are each phase's means, of equally many pulls, with a little noise."""
    random = np.random.default_rng(seed)
    bandit, pulled = DiscountedUCB(len(means[0]), np.random.default_rng(seed)), []
    for phase in means:
        for _ in range(n // len(means)):
            arm = bandit.pull()
            bandit.reward(arm, phase[arm] + 0.01 * random.normal())
            pulled.append(arm)
    return pulled


def test_every_pull_is_the_papers() -> None:
    """Equations of Garivier & Moulines, summed anew at each time instead of kept as running sums."""
    random = np.random.default_rng(3)
    bandit = DiscountedUCB(3, np.random.default_rng(0))
    history: list[tuple[int, float]] = []
    for time in range(120):
        arm = bandit.pull()
        if time < 3:
            assert arm not in [each for each, _ in history]
        else:
            weights = DISCOUNT ** np.arange(time - 1, -1, -1)
            of = np.array([[each == which for each, _ in history] for which in range(3)])
            counts = of @ weights
            means = of @ (weights * np.array([gain for _, gain in history])) / counts
            assert arm == np.argmax(means + EXPLORATION * np.sqrt(np.log(counts.sum()) / counts))
        gain = float(random.normal([0.0, 0.1, 0.2][arm], 0.1))
        bandit.reward(arm, gain)
        history.append((arm, gain))
    assert len({arm for arm, _ in history}) == 3


@pytest.mark.parametrize("best", range(4))
def test_the_arm_that_pays_is_pulled_most(best: int) -> None:
    means = [0.5 if arm == best else 0.0 for arm in range(4)]
    counts = np.bincount(pulls([means], 200), minlength=4)
    assert counts[best] > 100
    assert counts.min() >= 1


def test_it_follows_when_another_arm_begins_to_pay() -> None:
    pulled = pulls([[0.5, 0.0, 0.0], [0.0, 0.0, 0.5]], 400)
    assert np.mean(np.array(pulled[100:200]) == 0) > 0.6
    assert np.mean(np.array(pulled[300:]) == 2) > 0.6


def test_it_forgets_what_paid_long_ago() -> None:
    """All that the first arm paid in 300 pulls would still be a mean of 0.3 after 200 without."""
    pulled = pulls([[0.5, 0.2], [0.5, 0.2], [0.5, 0.2], [0.0, 0.2], [0.0, 0.2]], 500)
    assert np.mean(np.array(pulled[200:300]) == 0) > 0.6
    assert np.mean(np.array(pulled[400:]) == 1) > 0.6


def played(target: float, seed: int) -> Game:
    """Runs from the middle, with a score that is highest at the target."""
    return play(
        BANDIT,
        a_setting(X, 12, 6, seed, {"x": 0.5}),
        lambda step: 1 - abs(step.values["x"] - target),
        begin=1 - abs(0.5 - target),
    )


@pytest.mark.parametrize("target", [0.05, 0.95])
def test_a_run_moves_to_where_the_score_is_higher(target: float) -> None:
    ends = [played(target, seed).stretches[-1].values[-1]["x"] for seed in range(10)]
    assert abs(np.median(ends) - target) < 0.2
    assert np.mean(np.abs(np.array(ends) - target)) < 0.3  # 0.45 at the start


def test_gains_are_of_the_arm_that_was_pulled() -> None:
    """Of nine arms one pays: it is pulled most, over all runs; and only the first run tries all arms in turn."""
    game = play(
        BANDIT,
        a_setting(MIXED, 20, 10, 1, START),
        lambda step: step.before + float(MIXED["rate"].to_unit(np.array(step.values["rate"]))) - 0.5,
    )
    arms: list[list[tuple[str, bool]]] = []
    for each in game.stretches:
        arms.append([])
        for old, new in pairwise([START, *each.values]):
            changed = [(name, new[name] > old[name]) for name in MIXED if old[name] != new[name]]
            assert len(changed) <= 1
            arms[-1].append(changed[0] if changed else ("", False))
    unit = [float(MIXED["rate"].to_unit(np.array(each.values[-1]["rate"]))) for each in game.stretches]
    assert np.mean(unit[3:]) > 0.7
    flat = [arm for run in arms for arm in run if arm[0]]
    assert max(set(flat), key=flat.count) == ("rate", True)
    assert len(set(arms[0][:9])) == 9
    assert len(set(arms[1][:9])) < 9


def test_moves_are_a_share_of_the_scale_or_one_value_and_stay_inside() -> None:
    game = play(BANDIT, a_setting(MIXED, 30, 4, 0, START), lambda step: 0.5)
    for each in game.stretches:
        for old, new in pairwise([START, *each.values]):
            for name, dimension in MIXED.items():
                step = np.abs(dimension.to_unit(np.array(new[name])) - dimension.to_unit(np.array(old[name])))
                assert step <= {"steps": 0.25, "width": 0.5}.get(name, STEP) + 1e-9
                assert dimension.low <= new[name] <= dimension.high


def test_what_the_last_pull_of_a_run_gained_is_learned() -> None:
    """Runs of one decision: there is no other pull to learn from."""
    game = play(BANDIT, a_setting(X, 1, 60, 2, {"x": 0.5}), lambda step: step.values["x"], begin=0.5)
    ends = [each.values[-1]["x"] for each in game.stretches]
    assert set(np.round(ends[:3], 9)) == {0.35, 0.5, 0.65}
    assert ends.count(max(ends)) > 30


def test_a_run_that_fails_speaks_against_the_move_before_it() -> None:
    def score(step: Step) -> float | None:
        return None if step.values["x"] > 0.6 else 0.5

    game = play(BANDIT, a_setting(X, 1, 40, 0, {"x": 0.5}), score, begin=0.5)
    assert game.meter.failed < 8

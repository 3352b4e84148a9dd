"""PB2 on known gains: what is tried next is where the gains are, or where nobody has been; and the same rounds in Ray
Tune's code."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from ray.tune.schedulers.pb2 import _explore as rays_explore
from ray.tune.schedulers.pb2_utils import TV_SquaredExp, normalize, standardize
from sklearn.gaussian_process import GaussianProcessRegressor

from cluster.comparison.rivals.pb2 import N_CANDIDATES, NOISE, PB2, _GaussianProcess
from cluster.comparison.rivals.pbt import Member
from qsynth.population.snapshot import Snapshot
from tests.cluster.comparison.rivals.known_scores import MIXED, Step, X, a_setting, play

SNAPSHOT = Snapshot(tensors={}, hyperparameters={}, instance="", seed=0, iteration=0)


@dataclass(frozen=True)
class Rounds:
    """Eight members in a few rounds, each with new values in every round; their gain is highest at the target.

    Attributes:
        rows: round, score before, x.
        members: of the last round.
    """

    explorer: _GaussianProcess
    rows: np.ndarray
    gains: np.ndarray
    members: list[Member]


def rounds(target: float, seed: int, n_rounds: int = 4) -> Rounds:
    random, explorer = np.random.default_rng(seed), _GaussianProcess(X)
    rows, gains, members = [], [], []
    for number in range(1, n_rounds + 1):
        x, before = random.random(8), 0.3 + 0.02 * number
        gain = 0.05 * (1 + np.cos(np.pi * (x - target)))
        members = [
            Member(
                trial=trial,
                values={"x": float(x[trial])},
                before=before,
                score=before + float(gain[trial]),
                snapshot=SNAPSHOT,
            )
            for trial in range(8)
        ]
        explorer.learn(members)
        rows += [[number, before, x[trial]] for trial in range(8)]
        gains += gain.tolist()
    return Rounds(explorer, np.array(rows), np.array(gains), members)


def leader(members: list[Member]) -> Member:
    return max(members, key=lambda each: each.score)


@pytest.mark.parametrize("target", [0.1, 0.5, 0.9])
def test_values_are_tried_where_gains_are_highest(target: float) -> None:
    tried = []
    for seed in range(9):
        found = rounds(target, seed)
        tried.append(found.explorer.explore(leader(found.members), np.random.default_rng(seed))["x"])
    assert np.median(np.abs(np.array(tried) - target)) < 0.15  # 0.25 or more for draws
    assert np.mean(np.abs(np.array(tried) - target)) < 0.2


def test_gains_count_and_not_scores() -> None:
    """The member with the highest score gains nothing any more, another one does."""
    explorer = _GaussianProcess(X)
    for number in range(3):
        explorer.learn(
            [
                *(
                    Member(trial=n, values={"x": 0.1 + 0.02 * n}, before=0.9, score=0.9, snapshot=SNAPSHOT)
                    for n in range(4)
                ),
                *(
                    Member(
                        trial=n,
                        values={"x": 0.9 - 0.02 * n},
                        before=0.1 * number,
                        score=0.1 * (number + 1),
                        snapshot=SNAPSHOT,
                    )
                    for n in range(4)
                ),
            ]
        )
    tried = [
        explorer.explore(
            Member(trial=0, values={"x": 0.1}, before=0.9, score=0.9, snapshot=SNAPSHOT), np.random.default_rng(0)
        )["x"]
    ]
    assert tried[0] > 0.5


def test_copies_of_the_first_quarter_try_other_values() -> None:
    gains = np.random.default_rng(0).uniform(0.0, 0.1, (8, 5))

    def score(step: Step) -> float:
        return step.before + float(gains[step.trial, step.done])

    game = play(PB2, a_setting(MIXED, 5, 8), score)
    for before, after in zip(game.batches, game.batches[1:], strict=False):
        ranked = sorted(before, key=lambda each: each.end)
        copied = {each.trial: each.source for each in after if each.source != each.trial}
        assert set(copied) == {each.trial for each in ranked[:2]}
        assert set(copied.values()) <= {each.trial for each in ranked[-2:]}
        for each in after:
            if each.trial not in copied:
                assert each.values[0] == before[each.trial].values[-1]
            else:
                assert each.values[0] != before[cast(int, each.source)].values[-1]
        given = [tuple(each.values[0].values()) for each in after if each.trial in copied]
        assert len(set(given)) == len(given)


@dataclass(frozen=True)
class Way:
    """In what the two differ by design.

    Attributes:
        noise: variance of the gains.
        cut: farthest that a gain may be from their mean, in standard deviations.
        power: of the standard deviation that is added to the mean; the paper's is 1.
    """

    noise: float
    cut: float
    power: int


OURS, RAYS = Way(NOISE, np.inf, 1), Way(1e-10, 2.0, 2)


def bound(found: Rounds, newpoint: list[float], way: Way, x: np.ndarray, running: Sequence[float] = ()) -> np.ndarray:
    """What is maximised, of Ray Tune's own parts, at each of x.

    Args:
        running: values given out after the same round.
    """
    lows, highs = found.rows.min(axis=0), found.rows.max(axis=0)
    lows[2], highs[2] = 0.0, 1.0
    seen = normalize(found.rows, np.array([highs, lows]))
    gains = np.clip((found.gains - found.gains.mean()) / (found.gains.std() + 1e-8), -way.cut, way.cut)
    assert way.cut > 2 or np.array_equal(gains, standardize(found.gains))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that did not converge
        process = GaussianProcessRegressor(
            TV_SquaredExp(variance=1.0, lengthscale=1.0, epsilon=0.1), optimizer="fmin_l_bfgs_b", alpha=way.noise
        ).fit(seen, gains)
        fixed = normalize(np.array(newpoint), found.rows[:, :2])
        points = np.column_stack([np.tile(fixed, (len(x), 1)), x])
        mean = process.predict(points)
        seen = np.vstack([seen, *([*fixed, each] for each in running)])
        known = GaussianProcessRegressor(process.kernel_, optimizer=None, alpha=way.noise).fit(
            seen, np.zeros(len(seen))
        )
        _, sd = known.predict(points, return_std=True)
    weight = np.sqrt(0.2 + max(0.0, np.log(0.4 * len(seen))))
    upper: np.ndarray = mean + weight * sd**way.power
    return upper


@pytest.mark.parametrize("seed", range(4))
def test_what_is_running_already_counts_as_known(seed: int) -> None:
    """Copies spread out, by Ray Tune's second process, with the kernel of the first one; there it is fitted anew."""
    found = rounds(0.5, seed, n_rounds=2)
    source, random, again = leader(found.members), np.random.default_rng(seed), np.random.default_rng(seed)
    running: list[float] = []
    for _ in range(3):
        x = again.random((N_CANDIDATES, 1))
        upper = bound(found, [2, source.score], OURS, x, running)
        running.append(found.explorer.explore(source, random)["x"])
        assert running[-1] == pytest.approx(float(x[np.argmax(upper), 0]), abs=1e-6)
    assert min(abs(a - b) for a, b in combinations(running, 2)) > 0.2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("target", [0.2, 0.7])
def test_ray_tune_tries_the_same_but_for_what_the_bound_is_of(target: float, seed: int) -> None:
    """The same rounds in Ray Tune's PB2: the first copy of a round.

    It differs by design in what `Way` names; in the score given with the new values, which is the present one of the
    member that is copied here, and its score a round ago there; and in how the bound is maximised, over draws here and
    by ascents there.
    """
    found = rounds(target, seed)
    source = leader(found.members)
    x = np.random.default_rng(seed).random((N_CANDIDATES, 1))
    upper = bound(found, [4, source.score], OURS, x)
    ours = found.explorer.explore(source, np.random.default_rng(seed))["x"]
    assert ours == pytest.approx(float(x[np.argmax(upper), 0]), abs=1e-6)

    table = pd.DataFrame(
        [
            [str(row % 8), number - (not ended), at, before + gain * ended]
            for row, ((number, before, at), gain) in enumerate(zip(found.rows, found.gains, strict=True))
            for ended in (False, True)
        ],
        columns=["Trial", "Time", "x", "Reward"],
    )
    np.random.seed(seed)  # which Ray Tune draws from
    base: Any = source.trial
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config, _ = rays_explore(table, {"x": (0.0, 1.0)}, None, base, "7", {"x": 0.5})
    grid = np.linspace(0, 1, 1001)[:, None]
    upper = bound(found, [4, source.before], RAYS, grid)
    reached = upper[np.argmin(np.abs(grid[:, 0] - config["x"]))]
    assert reached > upper.max() - 0.02 * np.ptp(upper)

"""PBT on known scores: who copies whom, what is tried instead, and both in Ray Tune's scheduler."""

import random as python_random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from ray.tune.schedulers import PopulationBasedTraining
from ray.tune.schedulers.pbt import _explore as rays_explore
from ray.tune.schedulers.pbt import _PBTTrialState

from cluster.comparison.rivals.pbt import FACTORS, N_ROUNDS, PBT, RESAMPLED, perturbed, round_lengths
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from qsynth.space.search_space import Float, SearchSpace
from tests.cluster.comparison.rivals.known_scores import MIXED, Game, PlayedStretch, Step, X, a_setting, play, table

VALUES = {"rate": 1e-2, "share": 0.5, "steps": 3.0, "width": 8.0}


def of(scores: list[float], n_decisions: int = 2, seed: int = 0) -> Game:
    """As many members as scores."""
    return play(PBT, a_setting(MIXED, n_decisions, len(scores), seed), table(scores))


def copies(before: list[PlayedStretch], after: list[PlayedStretch]) -> dict[int, int]:
    """Member -> the other member whose weights it goes on with."""
    assert [each.trial for each in before] == [each.trial for each in after]
    return {each.trial: each.source for each in after if each.source not in (None, each.trial)}  # type: ignore[misc]


@dataclass(frozen=True)
class FakeTrial:
    """What Ray Tune's scheduler asks of a trial."""

    number: int
    experiment_tag: str

    def is_finished(self) -> bool:
        """No."""
        return False


def test_rounds_make_a_run() -> None:
    assert round_lengths(20) == [4] * N_ROUNDS
    assert round_lengths(7) == [2, 2, 1, 1, 1]
    assert round_lengths(2) == [1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_the_last_quarter_copies_the_first(seed: int) -> None:
    scores = (np.random.default_rng(seed).permutation(12) / 12).tolist()
    first, second = of(scores, seed=seed).batches
    ranked = sorted(range(12), key=lambda trial: scores[trial])
    copied = copies(first, second)
    assert set(copied) == set(ranked[:3])
    assert set(copied.values()) <= set(ranked[-3:])
    for each in second:
        begun = first[copied.get(each.trial, each.trial)]
        assert each.outcome.scores[0] == begun.end  # its weights, and so its score
        if each.trial in copied:
            assert each.values[0] != begun.values[-1]
        else:
            assert each.values[0] == begun.values[-1]


def test_members_of_the_first_quarter_are_copied_alike() -> None:
    sources = [
        source
        for seed in range(60)
        for source in copies(*of([0.1, 0.2, 0.5, 0.5, 0.5, 0.5, 0.8, 0.9], seed=seed).batches).values()
    ]
    assert len(sources) == 120
    assert 40 < sources.count(6) < 80
    assert sources.count(6) + sources.count(7) == 120


def test_who_fails_takes_over_a_copy_whatever_its_rank() -> None:
    def score(step: Step) -> float | None:
        return None if step.trial in (2, 5, 6) and step.done == 0 else 0.5 + step.trial / 100

    first, second = play(PBT, a_setting(MIXED, 2, 8), score).batches
    assert [each.outcome.failed for each in first] == [trial in (2, 5, 6) for trial in range(8)]
    copied = copies(first, second)
    assert {2, 5, 6} <= set(copied)
    assert set(copied.values()) <= {4, 7}


def test_perturbed_values_are_next_to_the_old_ones_or_new() -> None:
    random = np.random.default_rng(0)
    made = [perturbed(MIXED, VALUES, random) for _ in range(2000)]
    near = {
        "rate": {0.8e-2, 1.2e-2},
        "share": {0.4, 0.6},
        "steps": {2.0, 4.0},
        "width": {4.0, 16.0},
    }
    for name, values in near.items():
        hits = [[bool(np.isclose(each[name], value)) for each in made] for value in sorted(values)]
        down, up = np.mean(hits[0]), np.mean(hits[1])
        fresh = {"steps": 1 / 5, "width": 1 / 3}.get(name, 0.0) * RESAMPLED  # of new draws some are next to it, too
        assert down == pytest.approx((1 - RESAMPLED) / 2 + fresh, abs=0.04)
        assert up == pytest.approx((1 - RESAMPLED) / 2 + fresh, abs=0.04)
    at_the_end = {"rate": 1e-1, "share": 0.9, "steps": 5.0, "width": 16.0}
    for _ in range(100):
        found = perturbed(MIXED, at_the_end, random)
        assert all(MIXED[name].low <= found[name] <= MIXED[name].high for name in MIXED)


def test_it_follows_an_optimum_that_moves() -> None:
    """What pays goes from one end to the other while a run goes on; constants can't follow."""

    def score(step: Step) -> float:
        return step.before + (1 - abs(step.values["x"] - 0.1 - 0.8 * step.done / 20)) / 20

    bests = [
        [play(rival, a_setting(X, 20, 16, seed), score).best for seed in range(20)] for rival in (PBT, RANDOM_SEARCH)
    ]
    assert np.mean(bests[0]) > np.mean(bests[1]) + 0.02


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7, 8, 12, 16])
def test_ray_tune_moves_the_same_members(size: int) -> None:
    """The same scores in Ray Tune's PopulationBasedTraining.

    It differs by design: a quarter that is no whole number is rounded up there and down here, so that with fewer than
    four members nobody copies here.
    """
    scores = (np.random.default_rng(size).permutation(size) / size).tolist()
    theirs = PopulationBasedTraining("t", "score", "max", 1, hyperparam_mutations={"x": lambda: 0.5})
    for trial, score in enumerate(scores):
        # The private state is what a trial leaves that reports to a running experiment.
        fake: Any = FakeTrial(trial, str(trial))
        theirs._trial_state[fake] = _PBTTrialState(fake)
        theirs._trial_state[fake].last_score = score
    quantiles: Any = theirs._quantiles()
    last, first = ([each.number for each in part] for part in quantiles)
    batches = of(scores).batches
    copied = copies(*batches)
    ours, rays = size // 4, min(-(-size // 4), size // 2)
    assert len(last) == len(first) == rays
    assert set(copied) == set(last[:ours])
    assert set(copied.values()) <= set(first[rays - ours :])
    if size % 4 == 0:
        assert set(copied) == set(last)


def test_ray_tune_tries_the_same_values() -> None:
    """Values that either makes of the same ones, without new draws.

    It differs by design: what is multiplied leaves the range there and is cut to it here, and a choice out of integers
    is a list there, which an integer is here too.
    """
    old = {"rate": 9e-2, "share": 0.5, "steps": 5.0, "width": 8.0}
    lists = {"steps": [1.0, 2.0, 3.0, 4.0, 5.0], "width": [4.0, 8.0, 16.0]}
    python_random.seed(0)
    made = [
        rays_explore(old, {"rate": float, "share": float, **lists}, 0.0, FACTORS[::-1], None)[0] for _ in range(200)
    ]
    rays = {name: {round(each[name], 6) for each in made} for name in MIXED}
    assert rays == {"rate": {0.072, 0.108}, "share": {0.4, 0.6}, "steps": {4.0, 5.0}, "width": {4.0, 16.0}}
    random = np.random.default_rng(0)
    found = [perturbed(MIXED, old, random) for _ in range(400)]
    for name in ("rate", "share", "steps", "width"):
        counts = {value: sum(bool(np.isclose(each[name], value)) for each in found) for value in rays[name]}
        counts |= {0.1: sum(each[name] == 0.1 for each in found)} if name == "rate" else {}
        assert {value for value, count in counts.items() if count > 80} == (
            {0.072, 0.1} if name == "rate" else rays[name]
        )


def test_ray_tune_draws_anew_as_often() -> None:
    space: SearchSpace = {"x": Float(low=0.0, high=1.0)}
    python_random.seed(1)
    theirs = [rays_explore({"x": 0.5}, {"x": lambda: 7.0}, RESAMPLED, FACTORS, None)[0]["x"] == 7 for _ in range(3000)]
    random = np.random.default_rng(1)
    ours = [perturbed(space, {"x": 0.5}, random)["x"] not in (0.4, 0.6) for _ in range(3000)]
    assert np.mean(theirs) == pytest.approx(np.mean(ours), abs=0.04)

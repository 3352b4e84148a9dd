"""ASHA on known scores: the best go on, out of the highest rung first; and the same trace in Ray Tune's scheduler."""

from types import SimpleNamespace

import numpy as np
import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler
from ray.tune.schedulers.trial_scheduler import TrialScheduler

from cluster.comparison.rivals.asha import ASHA, ETA, rungs
from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from tests.cluster.comparison.rivals.known_scores import MIXED, Game, Step, X, a_setting, near, play, table

WHOLE = 16


def of(scores: list[float], runs: int) -> Game:
    return play(ASHA, a_setting(X, WHOLE, runs), table(scores))


def test_the_rungs_are_quarters() -> None:
    assert rungs(16) == [1, 4, 16]
    assert rungs(20) == [1, 5, 20]
    assert rungs(2) == [1, 2]
    assert rungs(1) == [1]


def test_every_decision_of_a_known_trace() -> None:
    """The later the better: from the fourth on every trial is the best so far, and goes on at once; so does, all the
    way, the fourth of these."""
    scores = [number / 100 for number in range(40)]
    order = [(each.trial, each.done, each.stretch.decisions) for each in of(scores, 3).stretches]
    begun = [(trial, 0, 1) for trial in range(17)]
    assert order == [
        *begun[0:4],
        (3, 1, 3),
        *begun[4:5],
        (4, 1, 3),
        *begun[5:6],
        (5, 1, 3),
        *begun[6:7],
        (6, 1, 3),
        (6, 4, 12),
        *begun[7:8],
        (7, 1, 3),
        (7, 4, 12),
        *begun[8:9],
    ]


@pytest.mark.parametrize("seed", range(5))
def test_the_first_quarter_goes_on_and_the_last_never(seed: int) -> None:
    scores = np.random.default_rng(seed).permutation(400) / 400
    game = of(scores.tolist(), 12)
    seen: list[int] = []
    promoted: set[int] = set()
    for each in game.stretches:
        if each.done == 0:
            # A trial begins only when nobody who should go on is left behind.
            assert set(sorted(seen, key=lambda trial: -scores[trial])[: len(seen) // ETA]) <= promoted
            seen.append(each.trial)
        elif each.done == 1:
            rank = sorted(seen, key=lambda trial: -scores[trial]).index(each.trial)
            assert rank < len(seen) // ETA
            assert each.source == each.trial not in promoted
            promoted.add(each.trial)
    ranked = sorted(seen, key=lambda trial: -scores[trial])
    assert promoted
    assert not promoted & set(ranked[len(ranked) * 2 // 3 :])
    whole = [each.trial for each in game.stretches if each.done == 4]
    assert whole
    assert np.mean(scores[whole]) > np.mean(scores[list(promoted)]) > np.mean(scores[seen]) + 0.2


def test_a_trial_goes_on_from_where_it_was_paused() -> None:
    game = play(ASHA, a_setting(MIXED, WHOLE, 4), lambda step: step.before + 0.01 * (step.trial % 5))
    parts: dict[int, list[int]] = {}
    values: dict[int, dict[str, float]] = {}
    for each in game.stretches:
        parts.setdefault(each.trial, []).append(each.done)
        assert values.setdefault(each.trial, each.values[0]) == each.values[0]
    assert {tuple(part) for part in parts.values()} == {(0,), (0, 1), (0, 1, 4)}


def test_who_fails_is_counted_and_never_goes_on() -> None:
    def score(step: Step) -> float | None:
        return None if step.trial in (1, 2, 3) else 0.5 - step.trial / 1000

    game = play(ASHA, a_setting(X, WHOLE, 2), score)
    assert [(each.trial, each.done) for each in game.stretches][:5] == [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1)]
    assert not {1, 2, 3} & {each.trial for each in game.stretches if each.done}


def test_it_finds_more_than_random_search_where_trials_begin_as_they_end() -> None:
    closeness = near({"rate": 1e-2, "share": 0.3, "steps": 4.0, "width": 8.0}, MIXED)

    def score(step: Step) -> float:
        return closeness(step.values) * min(1.0, (step.done + 1) / WHOLE)

    bests = [
        [play(rival, a_setting(MIXED, WHOLE, 4, seed), score).best for seed in range(30)]
        for rival in (ASHA, RANDOM_SEARCH)
    ]
    assert np.mean(bests[0]) > np.mean(bests[1]) + 0.02


@pytest.mark.parametrize("seed", range(5))
def test_ray_tune_lets_whoever_is_promoted_at_once_go_on(seed: int) -> None:
    """The same scores at the same rungs, one trial after another, in Ray Tune's AsyncHyperBandScheduler.

    It differs by design: it stops trials, where Algorithm 2 of the paper pauses them. So it has to decide about a trial
    at once: it lets the first go on, and whoever is above the 75th percentile of those before. Here a trial goes on
    when it is among the first quarter of all so far, itself included, which is stricter, and may be resumed later.
    """
    scores = np.random.default_rng(seed).permutation(200) / 200
    game = of(scores.tolist(), 6)
    order = [(each.trial, each.done) for each in game.stretches]
    arrivals = [trial for trial, done in order if done == 0][:-1]
    theirs = AsyncHyperBandScheduler("t", "score", "max", max_t=WHOLE, grace_period=1, reduction_factor=ETA)
    assert [milestone for milestone, _ in theirs._brackets[0]._rungs] == rungs(WHOLE)[::-1]
    at_once, let_go_on, later = set(), set(), set()
    for trial in arrivals:
        fake = SimpleNamespace(trial_id=str(trial))
        theirs.on_trial_add(None, fake)
        action = theirs.on_trial_result(None, fake, {"t": 1, "score": scores[trial]})
        let_go_on |= {trial} if action == TrialScheduler.CONTINUE else set()
        after = order[order.index((trial, 0)) + 1 :]
        first = next((each for each, (_, done) in enumerate(after) if done == 0), len(after))
        resumed = [each for each, done in after[:first] if done == 1]
        at_once |= {trial} & set(resumed)
        later |= set(resumed) - {trial}
    assert at_once
    assert at_once <= let_go_on
    # Whom only they let go on: the first, and those between the strict and the lenient bound.
    assert arrivals[0] in let_go_on - at_once
    for trial in let_go_on - at_once - {arrivals[0]}:
        before = scores[arrivals[: arrivals.index(trial)]]
        rank = int(np.sum(before > scores[trial]))  # 0 for the best so far
        assert (len(before) + 1) // ETA <= rank + 1 <= (len(before) + 1) / ETA + 1
    # Whom only the paper's way lets go on: those paused at first, which the first quarter has grown to take in.
    ours, everybody = at_once | later, sorted(arrivals, key=lambda trial: -scores[trial])
    assert set(everybody[: len(everybody) // ETA]) <= ours

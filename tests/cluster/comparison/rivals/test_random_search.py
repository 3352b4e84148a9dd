"""Random search: every run is another draw, uniform on each dimension's own scale."""

import numpy as np
import pytest
from scipy import stats

from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from tests.cluster.comparison.rivals.known_scores import MIXED, Step, a_setting, near, play

TARGET = {"rate": 1e-2, "share": 0.3, "steps": 4.0, "width": 8.0}


def drawn(runs: int, seed: int = 0) -> list[dict[str, float]]:
    game = play(RANDOM_SEARCH, a_setting(MIXED, 2, runs, seed), lambda step: 0.5)
    assert all(each.values[0] == each.values[-1] for each in game.stretches)  # constants
    return [each.values[0] for each in game.stretches]


def test_every_run_is_another_draw_on_each_dimensions_own_scale() -> None:
    points = drawn(400)
    assert len({tuple(point.values()) for point in points}) == 400
    for name in ("rate", "share"):
        unit = MIXED[name].to_unit(np.array([point[name] for point in points]))
        assert stats.kstest(unit, "uniform").pvalue > 0.01
    for name, values in (("steps", range(1, 6)), ("width", (4, 8, 16))):
        counts = [sum(point[name] == value for point in points) for value in values]
        assert stats.chisquare(counts).pvalue > 0.01
    together = np.array([[float(MIXED[name].to_unit(np.array(point[name]))) for name in MIXED] for point in points])
    assert np.abs(np.corrcoef(together.T) - np.eye(len(MIXED))).max() < 0.2


def test_seeds_differ_and_a_seed_repeats_itself() -> None:
    assert drawn(3, seed=1) == drawn(3, seed=1)
    assert drawn(3, seed=1) != drawn(3, seed=2)


def test_more_runs_find_better_values() -> None:
    closeness = near(TARGET, MIXED)
    best = [
        np.mean([play(RANDOM_SEARCH, a_setting(MIXED, 1, runs, seed), lambda step: closeness(step.values)).best
                 for seed in range(30)])
        for runs in (1, 8, 64)
    ]  # fmt: skip
    assert best[0] < 0.8 < best[1] < best[2]
    assert best[2] == pytest.approx(0.93, abs=0.05)


def test_what_failing_runs_leave_over_pays_for_more() -> None:
    def score(step: Step) -> float | None:
        return None if step.trial < 3 else 0.5

    game = play(RANDOM_SEARCH, a_setting(MIXED, 4, 4), score)
    assert [each.trial for each in game.stretches] == [0, 1, 2, 3, 4, 5]
    assert game.meter.decisions == 3 * 1 + 3 * 4

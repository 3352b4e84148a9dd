"""Statistics of a comparison, against values worked out by hand."""

import numpy as np
import pytest

from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.statistics import (
    best_so_far,
    break_even,
    interquartile_mean,
    probability_of_improvement,
)
from cluster.comparison.summary import Curve


def record(*curve: tuple[int, float]) -> JobResult:
    return JobResult(
        key="k",
        study="s",
        rival="r",
        problem=0,
        runs=1,
        curve=curve,
        marks={1: BudgetResult(validation=0.5, test=0.5)},
        spent={"iterations": 10},
    )


def test_interquartile_mean_is_of_the_middle_half_of_all_studies() -> None:
    found = interquartile_mean([np.array([0.0, 0.5, 0.6, 0.9]), np.array([0.1, 0.4, 0.7, 1.0])])
    assert found.value == pytest.approx((0.4 + 0.5 + 0.6 + 0.7) / 4)
    assert found.low < found.value < found.high
    assert found == interquartile_mean([np.array([0.0, 0.5, 0.6, 0.9]), np.array([0.1, 0.4, 0.7, 1.0])])


def test_the_bootstrap_is_stratified() -> None:
    """Studies that differ, in themselves alike: resampling within each leaves nothing to vary."""
    found = interquartile_mean([np.full(8, 0.2), np.full(8, 0.8)])
    assert (found.low, found.high) == (found.value, found.value) == (0.5, 0.5)
    apart = interquartile_mean([np.array([0.2, 0.2, 0.2, 0.21]), np.full(4, 0.8)])
    assert apart.high - apart.low < 0.01


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(60):
        found = interquartile_mean([random.normal(0.5, 0.1, 30)])
        hits += found.low <= 0.5 <= found.high
    assert 50 <= hits <= 60


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([[1.0, 2.0]], [[0.0, 0.5]], 1.0),
        ([[1.0, 2.0]], [[1.5, 1.5]], 0.5),
        ([[1.0, 1.0]], [[1.0, 1.0]], 0.5),
        ([[1.0, 2.0, 9.0]], [[0.5, 1.5, 8.0]], 1.0),  # of all nine pairs six
        ([[3.0, 1.0, 2.0]], [[2.0, 1.0, 4.0]], (1 + 0.5 + 0) / 3),
        ([[1.0, 2.0], [0.0, 0.0, 0.0, 0.0]], [[0.0, 0.5], [1.0, 1.0, 1.0, 1.0]], 0.5),  # studies count alike
    ],
)
def test_probability_of_improvement_counts_problems_within_studies(
    ours: list[list[float]], theirs: list[list[float]], expected: float
) -> None:
    found = probability_of_improvement([np.array(each) for each in ours], [np.array(each) for each in theirs])
    assert found.value == pytest.approx(expected)
    assert found.low <= found.value <= found.high


def test_one_problem_has_no_interval() -> None:
    found = probability_of_improvement([np.array([0.7])], [np.array([0.6])])
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_best_so_far_holds_its_value_between_improvements() -> None:
    found = best_so_far(record((10, 0.3), (30, 0.5)), np.array([5, 10, 29, 30, 99]))
    assert found.tolist() == [0.0, 0.3, 0.3, 0.5, 0.5]
    assert best_so_far(record(), np.array([5, 10])).tolist() == [0.0, 0.0]


def test_time_to_score() -> None:
    curve = Curve(np.array([1.0, 2.0, 3.0]), np.array([0.2, 0.5, 0.5]))
    assert [curve.reaches(target) for target in (0.5, 0.1, 0.6)] == [2.0, 1.0, None]


def test_break_even() -> None:
    assert break_even(10_000, per_use=500, rival_per_use=1_500) == 10.0
    assert break_even(10_000, per_use=500, rival_per_use=500) is None
    assert break_even(-5, per_use=500, rival_per_use=1_500) == 0.0

"""Intervals hold what they are for in about 95 of 100 samples."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from qsynth.quality.estimate import Estimate, area, determination, mean_share, share
from qsynth.quality.quality_report import assess
from qsynth.tables.inference import infer_schema
from tests.qsynth.quality.conftest import Make

N_SAMPLES = 400


def an_area(random: np.random.Generator) -> Estimate:
    folds = [[random.normal(shift, size=40) for _ in range(3)] for shift in (0.0, 1.0)]
    return area(folds[0], folds[1])


def a_share(random: np.random.Generator) -> Estimate:
    return share(random.random(60) < 0.1)


def a_mean_share(random: np.random.Generator) -> Estimate:
    return mean_share([random.random(15) < 0.9, random.random(80) < 0.5])


def a_determination(random: np.random.Generator) -> Estimate:
    x = random.normal(size=100)
    return determination(x + random.normal(size=100), x, 0)


@pytest.mark.parametrize(
    ("draw", "truth"),
    [(an_area, norm.cdf(2**-0.5)), (a_share, 0.1), (a_mean_share, 0.7), (a_determination, 0.5)],
)
def test_coverage(draw: Callable[[np.random.Generator], Estimate], truth: float) -> None:
    random = np.random.default_rng(0)
    found = [draw(random) for _ in range(N_SAMPLES)]
    held = [each.interval is not None and each.interval[0] <= truth <= each.interval[1] for each in found]
    assert np.mean([each.value for each in found]) == pytest.approx(truth, abs=0.02)
    assert 0.91 <= np.mean(held) <= 0.99


def test_values_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    low, high = random.integers(0, 5, 30).astype(float), random.integers(1, 6, 20).astype(float)
    truth = np.repeat([0, 1], [30, 20])
    assert area([low], [high]).value == pytest.approx(roc_auc_score(truth, np.concatenate([low, high])))
    predicted = random.integers(0, 2, 50)
    hits = [(predicted == label)[truth == label] for label in (0, 1)]
    assert mean_share(hits).value == pytest.approx(balanced_accuracy_score(truth, predicted))
    y, guess = random.normal(size=(2, 40))
    assert determination(y, guess, 0).value == pytest.approx(r2_score(y, guess))


def test_no_interval_where_none_is_honest() -> None:
    assert area([np.zeros(5)], [np.ones(5)]) == Estimate(1.0, None)
    assert area([np.zeros(1)], [np.array([1.0, -1.0])]) == Estimate(0.5, None)
    low, high = share(np.zeros(50, dtype=bool)).interval or (1.0, 0.0)
    assert low == 0 < 0.03 < high < 0.1, "none of 50 rows is not none at all"


def test_which_numbers_of_a_report_have_one(law: Make) -> None:
    schema, _ = infer_schema(law(150, 1), "class")
    report = assess(law(150, 1), law(150, 2), schema, law(150, 3))
    with_interval = {number.key for number in report.numbers if number.interval is not None}
    assert with_interval == {"c2st_auc", "tstr_linear", "tstr_forest", "copies", "membership_auc"}
    for number in report.numbers:
        low, high = number.interval or (number.value, number.value)
        assert number.value is not None
        assert low is not None
        assert high is not None
        assert low <= number.value <= high
        assert number.to_dict()["interval"] == number.interval

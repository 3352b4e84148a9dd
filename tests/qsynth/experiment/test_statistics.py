"""Gains have intervals that hold what they say."""

from dataclasses import replace

import numpy as np
import pytest

from qsynth.experiment.statistics import gain, holm, steps_to, with_share
from tests.qsynth.experiment.made import cell_of

LABELS = np.arange(120) % 2


def drawn(random: np.random.Generator, gains: float, n_seeds: int = 10, seed_sd: float = 0.05, row_sd: float = 0.1):
    """Two arms with common difficulties of the rows; one is better by ``gains``, by more in some seeds and rows."""
    base = random.uniform(0.3, 0.7, size=(1, len(LABELS))) + np.zeros((n_seeds, 1))
    better = (
        gains + random.normal(scale=seed_sd, size=(n_seeds, 1)) + random.normal(scale=row_sd, size=(1, len(LABELS)))
    )
    return {"bar": base, "arm": base + better}


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    hits = [
        found.low <= 0.03 <= found.high
        for found in (gain([cell_of(drawn(random, 0.03), LABELS) for _ in range(3)], "arm", "bar") for _ in range(200))
    ]
    assert 0.91 <= np.mean(hits) <= 0.995


def test_seeds_that_share_test_rows_do_not_make_them_certain() -> None:
    """With the rows' spread alone, more seeds do not shrink the interval to nothing."""
    random = np.random.default_rng(1)
    many = gain([cell_of(drawn(random, 0.0, n_seeds=400, seed_sd=0.001, row_sd=0.3), LABELS)], "arm", "bar")
    assert many.high - many.low > 2 * 1.9 * 0.3 / np.sqrt(len(LABELS)) * 0.8


def test_a_gain_is_the_mean_over_data_sets_and_has_a_sign() -> None:
    random = np.random.default_rng(2)
    cells = [cell_of(drawn(random, value, seed_sd=0.01, row_sd=0.02), LABELS) for value in (0.1, 0.2)]
    found, other = gain(cells, "arm", "bar"), gain(cells, "bar", "arm")
    assert found.value == pytest.approx(0.15, abs=0.02)
    assert found.value == pytest.approx(-other.value)
    assert found.p < 0.001
    assert found.won == 2
    assert other.won == 0
    assert found.effect > 1


def test_no_gain_is_no_finding() -> None:
    random = np.random.default_rng(3)
    ps = [gain([cell_of(drawn(random, 0.0), LABELS)], "arm", "bar").p for _ in range(1000)]
    assert 0.03 < np.mean(np.array(ps) < 0.05) < 0.07


def test_holm_is_the_published_procedure() -> None:
    one = gain([cell_of(drawn(np.random.default_rng(4), 0.1), LABELS)], "arm", "bar")
    found = {str(p): replace(one, p=p) for p in (0.01, 0.04, 0.03, 0.005)}
    corrected = holm(found)
    assert [each.p_holm for each in corrected.values()] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert list(corrected) == list(found)


def test_the_share_of_the_oracles_gain() -> None:
    random = np.random.default_rng(5)
    base = random.uniform(0.3, 0.6, size=(10, len(LABELS)))
    cells = [cell_of({"bar": base, "arm": base + 0.05, "oracle": base + 0.2}, LABELS)]
    found = with_share(gain(cells, "arm", "bar"), cells, "arm", "bar", "oracle")
    assert found.share == pytest.approx(0.25)
    assert found.share_low == pytest.approx(0.25)
    worse = [cell_of({"bar": base, "arm": base + 0.05, "oracle": base - 0.2}, LABELS)]
    assert with_share(gain(worse, "arm", "bar"), worse, "arm", "bar", "oracle").share is None


def test_steps_to_a_target() -> None:
    steps = np.array([5, 10, 15])
    assert steps_to(np.array([0.5, 0.7, 0.9]), steps, 0.7) == 10
    assert steps_to(np.array([0.5, 0.6, 0.6]), steps, 0.7) == float("inf")

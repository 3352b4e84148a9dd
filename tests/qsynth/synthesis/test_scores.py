"""Numbers to scores and back: class by class, with gaps and codes; factors and the residual."""

import json

import numpy as np
import pytest
from scipy.special import ndtr

from qsynth.synthesis.latent import Latent
from qsynth.synthesis.scores import Calibration, TableScores, calibration_labels

N = 600


def table(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """Two numbers that go together, one with gaps in the second class only, a code and a column of zeros and more."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], [N // 3, N - N // 3])
    common = random.normal(size=N)
    number = common + labels * 4
    gappy = np.where((labels == 1) & (random.uniform(size=N) < 0.3), np.nan, common + 0.3 * random.normal(size=N))
    code = np.where(random.uniform(size=N) < 0.8, labels * 2.0, 1.0)
    zeros = np.where(random.uniform(size=N) < 0.5, 0.0, random.exponential(size=N))
    return np.column_stack([number, gappy, code, zeros]), labels, [False, False, True, False]


def test_scores_are_normal_within_classes_and_keep_what_goes_together() -> None:
    numbers, labels, nominal = table()
    scores = TableScores.fit(numbers, labels, nominal, 2).forward(numbers, labels, np.random.default_rng(1))
    assert scores.shape == (N, 5)
    assert np.isfinite(scores).all()
    for label in (0, 1):
        mine = scores[labels == label]
        assert np.abs(mine[:, :4].mean(axis=0)).max() < 0.15
        assert mine[:, [0, 1, 3]].std(axis=0) == pytest.approx(1, abs=0.15)
    assert np.corrcoef(scores[:, 0], scores[:, 1])[0, 1] > 0.8


def test_values_gaps_and_codes_come_back() -> None:
    numbers, labels, nominal = table()
    fitted = TableScores.fit(numbers, labels, nominal, 2)
    back = fitted.inverse(ndtr(fitted.forward(numbers, labels, np.random.default_rng(1))), labels)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(numbers))
    np.testing.assert_array_equal(back[:, 2], numbers[:, 2])
    np.testing.assert_array_equal(back[:, 3] == 0, numbers[:, 3] == 0)
    assert np.nanmedian(np.abs(back[:, :2] - numbers[:, :2])) < 0.05
    again = TableScores.from_dict(json.loads(json.dumps(fitted.to_dict())))
    shares = np.random.default_rng(2).uniform(size=(N, 5))
    np.testing.assert_array_equal(again.inverse(shares, labels), fitted.inverse(shares, labels))


def test_a_class_of_one_row_has_a_distribution() -> None:
    numbers, labels, nominal = table()
    few = np.concatenate([np.flatnonzero(labels == 0), [N - 1]])
    fitted = TableScores.fit(numbers[few], labels[few], nominal, 2)
    drawn = fitted.inverse(np.random.default_rng(0).uniform(size=(200, fitted.n_scores)), np.ones(200, dtype=np.int64))
    assert drawn[:, 0].std() > 0.5
    assert abs(drawn[:, 0].mean() - numbers[N - 1, 0]) < 1.5


def test_calibrated_columns_keep_their_distributions_whatever_makes_the_scores() -> None:
    random = np.random.default_rng(0)
    labels = calibration_labels(2)
    skewed = random.exponential(size=(len(labels), 3)) * (1 + labels[:, None])
    shares = Calibration.fit(skewed, labels, 2).shares(random.exponential(size=(9000, 3)), np.zeros(9000, np.int64))
    assert shares.mean(axis=0) == pytest.approx(0.5, abs=0.02)
    assert shares.std(axis=0) == pytest.approx(12**-0.5, abs=0.02)


def test_factors_and_residual_have_full_rank_and_the_rows_covariance() -> None:
    random = np.random.default_rng(0)
    mix = random.normal(size=(6, 6))
    scores = random.normal(size=(5000, 6)) @ mix
    latent = Latent.fit(scores, 2)
    factors = latent.factors(scores)
    np.testing.assert_allclose(np.cov(factors.T), np.eye(2), atol=0.05)
    made = latent.scores(factors, random)
    assert np.linalg.matrix_rank(made) == 6
    np.testing.assert_allclose(np.cov(made.T), np.cov(scores.T), atol=0.1 * np.abs(np.cov(scores.T)).max())
    np.testing.assert_allclose(latent.factors(made), factors, atol=1e-8)
    assert 0 < latent.share_kept < 1

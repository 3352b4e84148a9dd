import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kstest, norm

from qsynth.data.scaling import Scaling
from qsynth.errors import QsynthError

TABLES = st.tuples(st.integers(2, 20), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1e6, 1e6, allow_subnormal=False))
)


@given(TABLES)
def test_all_columns_survive_the_round_trip(x: np.ndarray) -> None:
    scaling = Scaling.fit(x, n_features=5)
    scaled = scaling.forward(x)
    assert scaled.dtype == np.float32
    assert scaled.shape == x.shape
    assert np.abs(scaled).max() <= 0.9 + 1e-6
    column_range = x.max(axis=0) - x.min(axis=0)
    assert (np.abs(scaling.inverse(scaled) - x) <= 1e-6 * column_range + 1e-9 * (1 + np.abs(x).max(axis=0))).all()


@given(TABLES, st.integers(1, 4), st.booleans())
def test_state_survives_json(x: np.ndarray, n_features: int, marginals: bool) -> None:
    if len(x) < n_features:
        return
    scaling = Scaling.fit(x, n_features, marginals=marginals)
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert again.to_dict() == scaling.to_dict()
    np.testing.assert_array_equal(again.forward(x), scaling.forward(x))


@given(TABLES)
def test_normal_scores_survive_the_round_trip(x: np.ndarray) -> None:
    scaling = Scaling.fit(x, n_features=5, marginals=True)
    scaled = scaling.forward(x)
    assert np.abs(scaled).max() <= 0.9 + 1e-6
    column_range = x.max(axis=0) - x.min(axis=0)
    assert (np.abs(scaling.inverse(scaled) - x) <= 1e-4 * column_range + 1e-8 * (1 + np.abs(x).max(axis=0))).all()


def test_normal_scores_make_every_column_normal_and_keep_how_they_go_together() -> None:
    rng = np.random.default_rng(7)
    latent = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 1500)
    x = np.column_stack([np.exp(2 * latent[:, 0]), latent[:, 1] ** 3])
    plain, scores = (Scaling.fit(x[:1000], 2, marginals=marginals).forward(x[1000:]) for marginals in (False, True))
    for column in scores.T:
        assert kstest((column - column.mean()) / column.std(), norm.cdf).pvalue > 0.01
    for column in plain.T:
        assert kstest((column - column.mean()) / column.std(), norm.cdf).pvalue < 1e-9
    assert np.corrcoef(scores.T)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_states_from_before_there_were_marginals_load() -> None:
    x = np.random.default_rng(8).normal(size=(10, 3))
    scaling = Scaling.fit(x, 2)
    state = scaling.to_dict()
    assert state.pop("marginals") is None
    np.testing.assert_array_equal(Scaling.from_dict(state).forward(x), scaling.forward(x))


def test_a_given_range_has_the_same_scale_in_every_column() -> None:
    scaling = Scaling.between(0, 16, 3)
    np.testing.assert_allclose(scaling.forward([[0, 8, 16]]), [[-0.9, 0, 0.9]], atol=1e-6)
    np.testing.assert_allclose(scaling.inverse([[-0.9, 0, 0.9]]), [[0, 8, 16]])


def test_spread_components_fill_the_range_exactly() -> None:
    x = np.random.default_rng(0).normal(5, 3, (50, 6))
    scaled = Scaling.fit(x, 3).forward(x)
    np.testing.assert_allclose(scaled.min(axis=0), -0.9, atol=1e-6)
    np.testing.assert_allclose(scaled.max(axis=0), 0.9, atol=1e-6)


def test_reduction_keeps_what_the_principal_components_keep() -> None:
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6)) * 10 + 100
    scaling = Scaling.fit(plane, 2)
    assert (scaling.n_columns, scaling.n_features) == (6, 2)
    np.testing.assert_allclose(scaling.inverse(scaling.forward(plane)), plane, rtol=1e-5)
    noisy = plane + rng.normal(size=plane.shape)
    kept = [np.square(s.inverse(s.forward(noisy)) - noisy).sum() for s in (Scaling.fit(noisy, d) for d in (1, 2, 5))]
    assert kept[0] > 2 * kept[1] > 2 * kept[2] > 0


def test_reduced_rows_are_a_fixed_point() -> None:
    x = np.random.default_rng(2).normal(size=(40, 5))
    scaling = Scaling.fit(x, 2)
    scaled = scaling.forward(x)
    np.testing.assert_allclose(scaling.forward(scaling.inverse(scaled)), scaled, atol=1e-6)


def test_constant_column_stays_constant_whatever_is_generated() -> None:
    x = np.column_stack([np.full(10, 2020.0), np.arange(10.0)])
    scaling = Scaling.fit(x, 2)
    assert (scaling.forward(x)[:, 0] == 0).all()
    assert (scaling.inverse([[0.7, 0.9], [-1.0, -0.9]])[:, 0] == 2020).all()


def test_components_without_spread_are_not_blown_up() -> None:
    line = np.outer(np.arange(20.0), [1.0, 2.0, -3.0])
    scaled = Scaling.fit(line, 2).forward(line)
    assert np.abs(scaled[:, 0]).max() == pytest.approx(0.9)
    assert (scaled[:, 1] == 0).all()


def test_logarithm_is_undone_and_keeps_the_sign() -> None:
    x = np.column_stack([np.geomspace(1e-5, 1, 30), np.linspace(-5, 5, 30), np.r_[0.0, np.geomspace(1e-4, 1, 29)]])
    scaling = Scaling.fit(x, 3, {2: 1e-3, 0: 0.0})
    np.testing.assert_allclose(scaling.inverse(scaling.forward(x)), x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.diff(scaling.forward(x)[:, 0]), 1.8 / 29, atol=1e-6)
    assert (scaling.inverse(-np.ones((1, 3)))[0, [0, 2]] > [0, -1e-3]).all()
    with pytest.raises(QsynthError, match="logarithm"):
        scaling.forward([[0.0, 0.0, 0.0]])


def test_absurd_outliers_stay_finite() -> None:
    scaling = Scaling.fit([[0.0], [1e-6]], 1)
    assert scaling.forward([[1e99], [-1e99]]).tolist() == [[1e6], [-1e6]]


def test_identity_changes_nothing() -> None:
    x = np.random.default_rng(3).uniform(-1, 1, (7, 2)).astype(np.float32)
    scaling = Scaling.identity(2)
    np.testing.assert_array_equal(scaling.forward(x), x)
    np.testing.assert_array_equal(scaling.inverse(x), x.astype(np.float64))
    assert scaling.inverse(x).dtype == np.float64


def test_the_caller_keeps_his_rows() -> None:
    x = np.geomspace(1, 10, 12)[:, None]
    before = x.copy()
    scaling = Scaling.fit(x, 1, {0: 0.0})
    scaling.inverse(scaling.forward(x))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_fit_refuses_numbers_it_cannot_scale(bad: float) -> None:
    with pytest.raises(QsynthError, match="finite"):
        Scaling.fit([[1.0], [bad]], 1)


@pytest.mark.parametrize("shape", [(0, 2), (1, 2), (5, 0)])
def test_fit_refuses_too_little(shape: tuple[int, int]) -> None:
    with pytest.raises(QsynthError, match="at least 2 rows of 1 column"):
        Scaling.fit(np.zeros(shape), 1)


def test_shapes_are_checked() -> None:
    scaling = Scaling.fit(np.random.default_rng(4).normal(size=(10, 3)), 2)
    with pytest.raises(QsynthError, match="must have 3 columns; got 2"):
        scaling.forward(np.zeros((1, 2)))
    with pytest.raises(QsynthError, match="must have 2 columns; got 3"):
        scaling.inverse(np.zeros((1, 3)))
    with pytest.raises(QsynthError, match="matrix"):
        scaling.forward(np.zeros(3))
    with pytest.raises(QsynthError, match="at most the 3 training rows; got 4"):
        Scaling.fit(np.random.default_rng(5).normal(size=(3, 6)), 4)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": [0.0]},
        {"mean": "text"},
        {"mean": None},
        {"center": [0.0, 0.0, 0.0]},
        {"deviation": [1.0, 0.0, 1.0]},
        {"spread": [1.0, float("nan")]},
        {"spread": [1.0, -1.0]},
        {"components": [[1.0, 0.0, 0.0]]},
        {"components": None},
        {"log_columns": [3], "log_offsets": [0.0]},
        {"log_columns": [-1], "log_offsets": [0.0]},
        {"log_columns": [0]},
        {"more": 1},
        {"marginals": []},
        {"marginals": [{"values": [0.0], "scores": [0.0]}] * 2},
        {"marginals": [{"values": [0.0]}] * 3},
        {"marginals": 3},
    ],
)
def test_damaged_state_is_refused(change: dict[str, object]) -> None:
    state = Scaling.fit(np.random.default_rng(6).normal(size=(10, 3)), 2).to_dict()
    with pytest.raises(QsynthError, match="scaling's state"):
        Scaling.from_dict(state | change)

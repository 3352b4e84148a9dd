import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kstest, norm

from qsynth.data.marginal import MAX_KNOTS, Marginal

COLUMNS = arrays(np.float64, st.integers(2, 60), elements=st.floats(-10, 10, allow_subnormal=False))


@given(COLUMNS)
def test_every_value_survives_the_way_there_and_back(column: np.ndarray) -> None:
    marginal = Marginal.fit(column)
    if len(marginal.values) == 1:
        assert (marginal.forward(column) == 0).all()
        assert np.abs(marginal.inverse(np.linspace(-3, 3, 9)) - column[0]).max() <= 1e-8
        return
    beyond = np.r_[column, column.min() - 5, column.max() + 5]
    np.testing.assert_allclose(marginal.inverse(marginal.forward(beyond)), beyond, atol=1e-7)


@given(COLUMNS)
def test_order_is_kept_inside_and_outside(column: np.ndarray) -> None:
    marginal = Marginal.fit(column)
    if len(marginal.values) == 1:
        return
    scores = np.linspace(-6, 6, 500)
    assert (np.diff(marginal.inverse(scores)) > 0).all()
    values = np.linspace(column.min() - 1, column.max() + 1, 500)
    assert (np.diff(marginal.forward(values)) >= 0).all()


@given(COLUMNS)
def test_state_survives_json(column: np.ndarray) -> None:
    marginal = Marginal.fit(column)
    again = Marginal.from_dict(json.loads(json.dumps(marginal.to_dict())))
    np.testing.assert_array_equal(again.values, marginal.values)
    np.testing.assert_array_equal(again.scores, marginal.scores)


@pytest.mark.parametrize("n", [60, 3000])
def test_skewed_and_bimodal_columns_become_normal(n: int) -> None:
    rng = np.random.default_rng(0)
    columns = (
        rng.lognormal(0, 1.5, 2 * n),
        np.where(rng.random(2 * n) < 0.4, rng.normal(-3, 0.3, 2 * n), rng.normal(3, 1, 2 * n)),
    )
    for column in columns:
        scores = Marginal.fit(column[:n]).forward(column)
        limit = 0.5 / np.sqrt(n) if n < 100 else 0.02
        assert kstest(scores[:n], norm.cdf).statistic < limit, "rows that it was fitted to"
        assert kstest(scores[n:], norm.cdf).statistic < 1.95 * np.sqrt(2 / n), "new rows: two samples differ less"
        assert kstest((column - column.mean()) / column.std(), norm.cdf).statistic > 0.1


def test_the_way_back_is_smooth() -> None:
    """Its slope has no jumps between the outermost knots: steps of the derivative shrink with the distance."""
    marginal = Marginal.fit(np.random.default_rng(1).lognormal(0, 1, 400))
    jumps = []
    for n in (2000, 4000):
        scores = np.linspace(marginal.scores[0], marginal.scores[-1], n)
        slope = np.diff(marginal.inverse(scores)) / np.diff(scores)
        jumps.append(np.abs(np.diff(slope)).max() / np.abs(slope).max())
    assert jumps[1] < 0.6 * jumps[0]


def test_many_rows_are_thinned_and_few_values_are_not() -> None:
    rng = np.random.default_rng(2)
    assert len(Marginal.fit(rng.normal(size=5000)).values) == MAX_KNOTS
    counted = Marginal.fit(rng.choice([0.0, 1.0, 2.0], 90))
    assert counted.values.tolist() == [0, 1, 2]
    assert np.abs(counted.forward(np.array([0.0, 1.0, 2.0])) - counted.scores).max() < 1e-12


@pytest.mark.parametrize(
    "state",
    [
        {"values": [0.0, 1.0]},
        {"values": [], "scores": []},
        {"values": [0.0, 1.0], "scores": [0.0]},
        {"values": [[0.0]], "scores": [[0.0]]},
        {"values": [1.0, 0.0], "scores": [0.0, 1.0]},
        {"values": [0.0, 1.0], "scores": [0.0, 0.0]},
        {"values": [0.0, float("nan")], "scores": [0.0, 1.0]},
        {"values": "ab", "scores": [0.0, 1.0]},
    ],
)
def test_damaged_state_is_refused(state: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Marginal.from_dict(state)

"""A column's distribution: values come back, shares are right, nothing is made up."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qsynth.synthesis.margin import Margin

N = 4000


def fitted(values: np.ndarray, *, discrete: bool) -> Margin:
    return Margin.fit(values, np.ones(len(values)), discrete=discrete, low=values.min(), high=values.max())


def test_shares_of_codes_are_theirs() -> None:
    values = np.repeat([0.0, 1.0, 4.0], [10, 60, 30])
    drawn = fitted(values, discrete=True).inverse(np.linspace(0, 1, N))
    assert set(drawn) == {0.0, 1.0, 4.0}
    assert [(drawn == code).mean() for code in (0, 1, 4)] == pytest.approx([0.1, 0.6, 0.3], abs=2 / N)


def test_a_value_that_many_share_keeps_its_share_among_continuous_ones() -> None:
    random = np.random.default_rng(0)
    values = np.where(random.uniform(size=500) < 0.4, 0.0, random.exponential(size=500))
    drawn = fitted(values, discrete=False).inverse(random.uniform(size=N))
    assert (drawn == 0).mean() == pytest.approx((values == 0).mean(), abs=0.03)
    assert drawn[drawn > 0].mean() == pytest.approx(values[values > 0].mean(), rel=0.1)


@example([-1.0, -1.0, -1.0, -2e-144], False, 0)  # of which the last step ends at 0 when it is rounded
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40), st.booleans(), st.integers(0, 9))
def test_values_come_back_and_stay_in_range(given_values: list[float], discrete: bool, seed: int) -> None:
    values = np.array(given_values)
    margin = fitted(values, discrete=discrete)
    shares = margin.forward(values, np.random.default_rng(seed).uniform(0.01, 0.99, size=len(values)))
    assert ((shares >= 0) & (shares <= 1)).all()
    back = margin.inverse(shares)
    assert ((back >= values.min()) & (back <= values.max())).all()
    if discrete:
        np.testing.assert_array_equal(back, values)


def test_spread_is_that_of_the_rows() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=60)
    drawn = fitted(values, discrete=False).inverse(np.linspace(0, 1, N))
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.15)
    assert drawn.std() == pytest.approx(values.std(), rel=0.1)
    assert len(np.unique(drawn)) > N / 2  # new values, not the rows' once more


@pytest.mark.parametrize(
    "state",
    [
        {"values": [1.0], "shares": [0.0, 1.0]},
        {"values": [2.0, 1.0], "shares": [0.0, 1.0]},
        {"values": [1.0, float("nan")], "shares": [0.0, 1.0]},
        {"values": [], "shares": []},
    ],
)
def test_forged_knots_are_refused(state: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="knots"):
        Margin.from_dict(state)

"""Dimensions of the hyperparameters: values to the unit interval and back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from qsynth.space.search_space import Choice, Dimension, Float, Int, SearchSpace, adjacent_value, random_values

UNIT = np.linspace(0, 1, 101)
SPACE: SearchSpace = {
    "n_critic": Int(low=1, high=3),
    "lr_generator": Float(low=1e-4, high=1e-1, log=True),
    "batch_size": Choice(values=(2, 4, 6)),
    "beta1": Float(low=0.0, high=0.9),
}


@pytest.mark.parametrize(
    ("dimension", "middle"),
    [(Float(low=-1, high=3), 1.0), (Float(low=1e-4, high=1e-2, log=True), 1e-3)],
    ids=["linear", "log"],
)
def test_continuous_values(dimension: Float, middle: float) -> None:
    values = dimension.from_unit(UNIT)
    assert (values[0], values[-1]) == (dimension.low, dimension.high)
    assert values[50] == pytest.approx(middle)
    assert (np.diff(values) > 0).all()
    np.testing.assert_allclose(dimension.to_unit(values), UNIT, atol=1e-12)
    np.testing.assert_array_equal(dimension.from_unit(np.array([-2.0, 7.0])), [dimension.low, dimension.high])


@pytest.mark.parametrize("dimension", [Int(low=2, high=6), Choice(values=(1, 2, 4, 8, 32))], ids=["int", "choice"])
def test_discrete_values(dimension: Int | Choice) -> None:
    known = np.arange(2.0, 7.0) if isinstance(dimension, Int) else np.array(dimension.values)
    np.testing.assert_array_equal(dimension.from_unit(dimension.to_unit(known)), known)
    shares = np.unique(dimension.from_unit((np.arange(1000) + 0.5) / 1000), return_counts=True)
    np.testing.assert_array_equal(shares[0], known)
    assert (shares[1] == 200).all()
    np.testing.assert_array_equal(dimension.from_unit(np.array([-1.0, 0.0, 1.0, 2.0])), known[[0, 0, -1, -1]])
    assert (dimension.to_unit(known)[0], dimension.to_unit(known)[-1]) == (0, 1)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.integers(-50, 50), st.integers(1, 200))
def test_integers_survive_the_round_trip(low: int, size: int) -> None:
    values = np.arange(low, low + size + 1)
    dimension = Int(low=low, high=low + size)
    np.testing.assert_array_equal(dimension.from_unit(dimension.to_unit(values)), values)


def test_a_choice_takes_the_nearest() -> None:
    choice = Choice(values=(8, 16, 32))
    np.testing.assert_array_equal(choice.index(np.array([[1, 11], [13, 99]])), [[0, 0], [1, 2]])
    assert (choice.low, choice.high) == (8, 32)


def test_the_next_value_is_one_place_on_and_no_further_than_an_end() -> None:
    whole, choice = Int(low=1, high=4), Choice(values=(8, 16, 32))
    values, steps = np.array([1.0, 1.0, 3.0, 4.0, 4.0]), np.array([-1, 1, 1, 1, 0])
    assert adjacent_value(whole, values, steps).tolist() == [1, 2, 4, 4, 4]
    places = np.array([8.0, 8.0, 16.0, 32.0, 17.0])
    assert adjacent_value(choice, places, steps).tolist() == [8, 16, 32, 32, 16]  # 17 counts as the nearest
    assert [float(adjacent_value(choice, 16.0, step)) for step in (-1, 1)] == [8, 32]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "float", "low": 2, "high": 2}, "low must be below high; got 2.0 and 2.0"),
        ({"kind": "float", "low": 0, "high": 2, "log": True}, "low must be above 0 on a log scale"),
        ({"kind": "float", "low": 0, "high": float("inf")}, "finite"),
        ({"kind": "int", "low": 3, "high": 2}, "low must be below high"),
        ({"kind": "choice", "values": [2, 1]}, "values must ascend"),
        ({"kind": "choice", "values": [1, 1]}, "values must ascend"),
        ({"kind": "choice", "values": [1]}, "at least 2"),
    ],
)
def test_dimensions_without_room_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Dimension).validate_python(values)


def test_random_values_are_uniform_on_their_own_scale_and_repeat() -> None:
    space = {"b": Float(low=1e-4, high=1, log=True), "a": Int(low=1, high=4), "c": Float(low=0, high=1)}
    drawn = random_values(space, np.random.default_rng(0), 4000)
    assert sorted(drawn) == ["a", "b", "c"]
    assert np.median(np.log10(drawn["b"])) == pytest.approx(-2, abs=0.1)
    assert np.bincount(drawn["a"].astype(int), minlength=5)[1:].min() > 900
    assert abs(np.corrcoef(np.log(drawn["b"]), drawn["c"])[0, 1]) < 0.05
    again = random_values(dict(reversed(space.items())), np.random.default_rng(0), 4000)
    assert all(np.array_equal(drawn[name], again[name]) for name in space)


def test_random_values_are_uniform_on_each_own_scale() -> None:
    drawn = random_values(SPACE, np.random.default_rng(0), 20_000)
    rate, beta = SPACE["lr_generator"], SPACE["beta1"]
    logs = np.log(drawn["lr_generator"] / rate.low) / np.log(rate.high / rate.low)
    assert stats.kstest(logs, "uniform").pvalue > 1e-3
    assert stats.kstest(drawn["beta1"] / beta.high, "uniform").pvalue > 1e-3
    for name, possible in (("n_critic", (1, 2, 3)), ("batch_size", (2, 4, 6))):
        found, counts = np.unique(drawn[name], return_counts=True)
        assert found.tolist() == list(possible)
        assert stats.chisquare(counts).pvalue > 1e-3
    assert abs(np.corrcoef(logs, drawn["beta1"])[0, 1]) < 0.03  # independent

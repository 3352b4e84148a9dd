"""Actions: what they look like, what they do, and that staying changes nothing at all."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qsynth.space.search_space import Choice, Dimension, Float, Int, SearchSpace
from rl_envs.spaces import DOWN, RECOVER, STAY, UP, Recover, action_space, moved, stay_action
from tests.rl_envs.tiny import SPACE

LOG = Float(low=1e-4, high=1e-1, log=True)
LINEAR = Float(low=-1.0, high=3.0)
INT = Int(low=1, high=4)
CHOICE = Choice(values=(2, 4, 16))
DIMENSIONS: dict[str, Dimension] = {"log": LOG, "linear": LINEAR, "int": INT, "choice": CHOICE}


def inside(dimension: Dimension) -> st.SearchStrategy[float]:
    """Values at the bounds, on the grid and off it."""
    return st.sampled_from([float(dimension.low), float(dimension.high)]) | st.floats(dimension.low, dimension.high)


def one(dimension: Dimension, value: float, action: float, max_step: float = 0.2) -> float:
    """Where an action takes one lane."""
    [result] = moved({"x": dimension}, {"x": np.array([value])}, {"x": np.array([[action]])}, max_step)["x"]
    return float(result)


def test_entries_are_of_the_kinds_that_learners_take_in_sorted_order() -> None:
    space = action_space(SPACE)
    assert list(space) == sorted(SPACE)
    assert space["lr_generator"] == spaces.Box(-1.0, 1.0, (1,), np.float32)
    assert space["beta1"] == spaces.Box(-1.0, 1.0, (1,), np.float32)
    assert space["n_critic"] == spaces.Discrete(3)
    assert space["batch_size"] == spaces.Discrete(1 + 3)
    assert space.contains(stay_action(SPACE))
    assert list(stay_action(SPACE)) == sorted(SPACE)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.data())
@pytest.mark.parametrize("kind", DIMENSIONS)
def test_staying_changes_no_bit(kind: str, data: st.DataObject) -> None:
    dimension = DIMENSIONS[kind]
    # Also what lies outside: a schedule may have set it.
    values = np.array(data.draw(st.lists(inside(dimension) | st.floats(1e-6, 1e6), min_size=1, max_size=4)))
    stay = np.stack([stay_action({"x": dimension})["x"]] * len(values))
    result = moved({"x": dimension}, {"x": values}, {"x": stay}, data.draw(st.floats(0.001, 1)))["x"]
    assert result.tobytes() == values.tobytes()
    assert result is not values


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.data())
@pytest.mark.parametrize("kind", DIMENSIONS)
def test_moves_stay_in_range_whatever_the_action(kind: str, data: st.DataObject) -> None:
    dimension, n_lanes = DIMENSIONS[kind], 3
    values = np.array(data.draw(st.lists(inside(dimension), min_size=n_lanes, max_size=n_lanes)))
    any_number = arrays.arrays(np.float32, (n_lanes, 1), elements=st.floats(width=32))
    actions = data.draw(any_number | arrays.arrays(np.int64, n_lanes, elements=st.integers(-9, 9)))
    result = moved({"x": dimension}, {"x": values}, {"x": actions}, data.draw(st.floats(0.001, 1)))["x"]
    assert result.shape == (n_lanes,)
    assert ((result >= dimension.low) & (result <= dimension.high)).all()


@pytest.mark.parametrize("action", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", DIMENSIONS)
def test_actions_that_are_not_finite_stay(kind: str, action: float) -> None:
    dimension = DIMENSIONS[kind]
    for value in (dimension.low, dimension.high, 0.3 * dimension.low + 0.7 * dimension.high):
        assert one(dimension, value, action) == value


def test_a_float_moves_by_at_most_max_step_of_its_scale() -> None:
    assert one(LOG, 1e-3, 1.0, 0.2) == pytest.approx(1e-3 * 1000**0.2)
    assert one(LOG, 1e-3, -0.5, 0.2) == pytest.approx(1e-3 / 1000**0.1)
    assert one(LINEAR, 0.0, 1.0, 0.2) == pytest.approx(0.8)
    assert one(LINEAR, 0.0, -0.25, 0.1) == pytest.approx(-0.1)
    assert one(LINEAR, 0.0, 50.0, 0.2) == one(LINEAR, 0.0, 1.0, 0.2)
    assert one(LOG, LOG.high, 1.0) == pytest.approx(LOG.high)
    assert one(LOG, LOG.low, -1.0) == pytest.approx(LOG.low)


def test_an_int_moves_by_one_and_stops_at_its_ends() -> None:
    assert [one(INT, 2, action) for action in (DOWN, STAY, UP)] == [1, 2, 3]
    assert one(INT, 1, DOWN) == 1
    assert one(INT, 4, UP) == 4


def test_a_choice_takes_the_named_value_wherever_it_is() -> None:
    for value in CHOICE.values:
        assert [one(CHOICE, value, action) for action in range(4)] == [value, 2, 4, 16]


def test_lanes_and_names_move_apart() -> None:
    space: SearchSpace = {"b": INT, "a": CHOICE, "c": LINEAR}
    values = {"a": np.array([2.0, 4.0]), "b": np.array([2.0, 3.0]), "c": np.array([0.0, 1.0])}
    actions = {"a": np.array([0, 3]), "b": np.array([UP, STAY]), "c": np.array([[0.0], [1.0]])}
    result = moved(space, values, actions, 0.1)
    assert set(result) == {"a", "b", "c"}
    np.testing.assert_allclose(result["a"], [2, 16])
    np.testing.assert_allclose(result["b"], [3, 3])
    np.testing.assert_allclose(result["c"], [0.0, 1.4])
    np.testing.assert_array_equal(values["a"], [2, 4])  # untouched


def test_a_recovery_is_one_more_entry_that_needs_no_value() -> None:
    entries = {**SPACE, RECOVER: Recover()}
    assert action_space(entries)[RECOVER] == spaces.Discrete(4)
    assert stay_action(entries)[RECOVER] == 0
    assert RECOVER not in action_space(SPACE).spaces
    for action, expected in ((0, 0), (1, 1), (3, 3), (9, 3), (-1, 0), (np.nan, 0)):
        assert moved({RECOVER: Recover()}, {}, {RECOVER: np.array([action])}, 0.1)[RECOVER].tolist() == [expected]

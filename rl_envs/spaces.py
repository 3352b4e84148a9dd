"""Actions: what an agent may do to the hyperparameters at a decision."""

from typing import Any

import numpy as np
from gymnasium import spaces

from qsynth.search_space import Choice, Dimension, Float, Int, SearchSpace

DOWN, STAY, UP = range(3)


def action_space(search_space: SearchSpace) -> spaces.Dict:
    """One entry a hyperparameter: ``Box(-1, 1, (1,))`` for a float (move by up to max_step of its scale),
    ``Discrete(3)`` for an int (down, stay, up), ``Discrete(1 + values)`` for a choice (stay, or a value)."""
    return spaces.Dict({name: _entry(dimension) for name, dimension in sorted(search_space.items())})


def stay_action(search_space: SearchSpace) -> dict[str, np.ndarray | np.int64]:
    """The action that changes nothing, for one trial."""
    return {
        name: np.zeros(1, dtype=np.float32) if isinstance(dimension, Float) else np.int64(stay_index(dimension))
        for name, dimension in sorted(search_space.items())
    }


def stay_index(dimension: Dimension) -> int:
    """The category of a discrete entry that changes nothing."""
    return STAY if isinstance(dimension, Int) else 0


def moved(
    search_space: SearchSpace, values: dict[str, np.ndarray], actions: dict[str, np.ndarray], max_step: float
) -> dict[str, np.ndarray]:
    """Hyperparameter values after actions.

    Args:
        values: name -> lanes, the present values.
        actions: name -> lanes x 1 (float) or lanes (discrete), as :func:`action_space` batches them.
        max_step: the farthest move of a float, as a share of its scale.

    Returns:
        name -> lanes; exactly the present value wherever the action is to stay. Actions that are not finite stay.
    """
    result = {}
    for name, dimension in search_space.items():
        value, action = values[name], np.asarray(actions[name], dtype=float).reshape(len(values[name]))
        action = np.where(np.isfinite(action), action, 0 if isinstance(dimension, Float) else stay_index(dimension))
        if isinstance(dimension, Float):
            step = np.clip(action, -1.0, 1.0) * max_step
            target = dimension.from_unit(dimension.to_unit(value) + step)
            result[name] = np.where(step == 0, value, target)
        elif isinstance(dimension, Int):
            step = np.clip(action, DOWN, UP) - STAY
            result[name] = np.where(step == 0, value, np.clip(value + step, dimension.low, dimension.high))
        else:
            position = np.clip(action, 0, len(dimension.values)).astype(int)
            result[name] = np.where(position == 0, value, np.array(dimension.values)[np.maximum(position, 1) - 1])
    return result


def _entry(dimension: Dimension) -> spaces.Space[Any]:
    match dimension:
        case Float():
            return spaces.Box(-1.0, 1.0, (1,), np.float32)
        case Int():
            return spaces.Discrete(3)
        case Choice():
            return spaces.Discrete(1 + len(dimension.values))

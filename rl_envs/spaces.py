"""Actions: what an agent may do at a decision, to the hyperparameters or to a trial that went wrong."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from qsynth.config import Config
from qsynth.population.recovery import RECOVERIES
from qsynth.space.search_space import Choice, Float, Int, adjacent_value

DOWN, STAY, UP = range(3)
RECOVER = "recover"


class Recover(Config):
    """A treatment of the trial itself.

    0 for none, else one of :data:`qsynth.population.recovery.RECOVERIES`, counted from 1.
    """

    kind: Literal["recover"] = "recover"


ActionEntry = Annotated[Float | Int | Choice | Recover, Field(discriminator="kind")]
Entries = Mapping[str, ActionEntry]


def action_space(entries: Entries) -> spaces.Dict:
    """One entry a hyperparameter: ``Box(-1, 1, (1,))`` for a float (move by up to max_step of its scale),
    ``Discrete(3)`` for an int (down, stay, up), ``Discrete(1 + values)`` for a choice (stay, or a value); and
    ``Discrete(4)`` for a recovery (stay, or a treatment)."""
    return spaces.Dict({name: _space(entry) for name, entry in sorted(entries.items())})


def stay_action(entries: Entries) -> dict[str, np.ndarray | np.int64]:
    """The action that changes nothing, for one trial."""
    return {
        name: np.zeros(1, dtype=np.float32) if isinstance(entry, Float) else np.int64(stay_index(entry))
        for name, entry in sorted(entries.items())
    }


def stay_index(entry: ActionEntry) -> int:
    """The category of a discrete entry that changes nothing."""
    return STAY if isinstance(entry, Int) else 0


def moved(
    entries: Entries, values: dict[str, np.ndarray], actions: dict[str, np.ndarray], max_step: float
) -> dict[str, np.ndarray]:
    """Hyperparameter values after actions, and treatments.

    Args:
        values: name -> lanes, the present values.
        actions: name -> lanes x 1 (float) or lanes (discrete), as :func:`action_space` batches them.
        max_step: the farthest move of a float, as a share of its scale.

    Returns:
        name -> lanes; exactly the present value wherever the action is to stay. Actions that are not finite stay.
    """
    result = {}
    for name, dimension in entries.items():
        action = np.asarray(actions[name], dtype=float).reshape(-1)
        action = np.where(np.isfinite(action), action, 0 if isinstance(dimension, Float) else stay_index(dimension))
        if isinstance(dimension, Recover):
            result[name] = np.floor(np.clip(action, 0, len(RECOVERIES)))
            continue
        value = values[name]
        if isinstance(dimension, Float):
            step = np.clip(action, -1.0, 1.0) * max_step
            target = dimension.from_unit(dimension.to_unit(value) + step)
            result[name] = np.where(step == 0, value, target)
        elif isinstance(dimension, Int):
            step = np.clip(action, DOWN, UP) - STAY
            result[name] = np.where(step == 0, value, adjacent_value(dimension, value, step))
        else:
            position = np.clip(action, 0, len(dimension.values)).astype(int)
            result[name] = np.where(position == 0, value, np.array(dimension.values)[np.maximum(position, 1) - 1])
    return result


def _space(entry: ActionEntry) -> spaces.Space[Any]:
    match entry:
        case Float():
            return spaces.Box(-1.0, 1.0, (1,), np.float32)
        case Int():
            return spaces.Discrete(3)
        case Choice():
            return spaces.Discrete(1 + len(entry.values))
        case Recover():
            return spaces.Discrete(1 + len(RECOVERIES))

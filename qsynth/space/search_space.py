"""What a search or an agent may change: named dimensions of the hyperparameters."""

import math
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from qsynth.config import Config
from qsynth.errors import StudyError


class Float(Config):
    """A continuous hyperparameter in [low, high], on a logarithmic scale if ``log``."""

    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 on a log scale; got {self.low}")
        return self

    def to_unit(self, value: np.ndarray) -> np.ndarray:
        """Values to [0, 1]."""
        if self.log:
            return np.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, unit: np.ndarray) -> np.ndarray:
        """[0, 1] to values; what lies outside is clipped."""
        unit = np.clip(unit, 0.0, 1.0)
        if self.log:
            return np.clip(self.low * np.exp(unit * math.log(self.high / self.low)), self.low, self.high)
        return self.low + unit * (self.high - self.low)


class Int(Config):
    """An integer hyperparameter in low..high."""

    kind: Literal["int"] = "int"
    low: int
    high: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got {self.low} and {self.high}")
        return self

    def to_unit(self, value: np.ndarray) -> np.ndarray:
        """Values to [0, 1]."""
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, unit: np.ndarray) -> np.ndarray:
        """[0, 1] to values, each with the same share of the interval."""
        steps = np.floor(np.clip(unit, 0.0, 1.0) * (self.high - self.low + 1))
        return np.asarray(np.minimum(self.low + steps, self.high))


class Choice(Config):
    """A hyperparameter out of a few ascending numbers."""

    kind: Literal["choice"] = "choice"
    values: tuple[float, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(a >= b for a, b in zip(self.values, self.values[1:], strict=False)):
            raise ValueError(f"values must ascend; got {list(self.values)}")
        return self

    @property
    def low(self) -> float:
        """The smallest value."""
        return self.values[0]

    @property
    def high(self) -> float:
        """The largest value."""
        return self.values[-1]

    def index(self, value: np.ndarray) -> np.ndarray:
        """Positions of the nearest values."""
        return np.asarray(np.abs(np.asarray(value)[..., None] - np.array(self.values)).argmin(axis=-1))

    def to_unit(self, value: np.ndarray) -> np.ndarray:
        """Positions of values, scaled to [0, 1]."""
        return self.index(value) / (len(self.values) - 1)

    def from_unit(self, unit: np.ndarray) -> np.ndarray:
        """[0, 1] to values, each with the same share of the interval."""
        position = np.floor(np.clip(unit, 0.0, 1.0) * len(self.values)).astype(int)
        return np.asarray(np.array(self.values)[np.minimum(position, len(self.values) - 1)])


Dimension = Annotated[Float | Int | Choice, Field(discriminator="kind")]
SearchSpace = dict[str, Dimension]


def nearest_value(dimension: Dimension, value: Any) -> float:
    """The nearest value that a dimension has.

    Raises:
        QsynthError: no finite number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise StudyError(f"a hyperparameter must be a finite number; got {value!r}")
    clipped = min(max(number, float(dimension.low)), float(dimension.high))
    match dimension:
        case Float():
            return clipped
        case Int():
            return round(clipped)
        case Choice():
            return dimension.values[int(dimension.index(np.array(clipped)))]


def adjacent_value(dimension: Int | Choice, value: ArrayLike, steps: ArrayLike) -> np.ndarray:
    """The value that is so many steps above, or below where they are negative; an end stops them."""
    if isinstance(dimension, Int):
        return np.clip(np.add(value, steps), dimension.low, dimension.high)
    places = np.clip(dimension.index(np.asarray(value)) + steps, 0, len(dimension.values) - 1)
    return np.asarray(np.array(dimension.values)[places])


def random_point(space: SearchSpace, generator: np.random.Generator) -> dict[str, float]:
    """One draw of :func:`random_values`: name -> value."""
    return {name: float(values[0]) for name, values in random_values(space, generator, 1).items()}


def random_values(space: SearchSpace, generator: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """``n`` independent draws, uniform on each dimension's own scale: name -> n."""
    return {name: dimension.from_unit(generator.random(n)) for name, dimension in sorted(space.items())}

"""A network's parameters as one flat vector, so that a population's are one matrix."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor


class ParameterLayout:
    """Where each named parameter lies in the flat vector."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = MappingProxyType(dict(shapes))
        self.size = sum(math.prod(shape) for shape in shapes.values())

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """Named views of a flat vector of ``size`` numbers."""
        pieces = flat.split([math.prod(shape) for shape in self.shapes.values()])
        return {name: piece.reshape(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}

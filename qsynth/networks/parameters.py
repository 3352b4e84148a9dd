"""A network's parameters as one flat vector, so that a population's are one matrix."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor


class ParameterLayout:
    """Where each named parameter lies in the flat vector."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = MappingProxyType(dict(shapes))
        self.sizes = tuple(math.prod(shape) for shape in shapes.values())
        self.size = sum(self.sizes)

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """Named views of a flat vector of ``size`` numbers."""
        pieces = flat.split(self.sizes)
        return {name: piece.reshape(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}

    def bounds(self, fan_in: Mapping[str, int]) -> Tensor:
        """1 / sqrt(fan-in) at each parameter: uniform starting values lie within (torch's ``nn.Linear`` rule)."""
        return torch.cat(
            [torch.full((math.prod(shape),), 1 / math.sqrt(fan_in[name])) for name, shape in self.shapes.items()]
        )

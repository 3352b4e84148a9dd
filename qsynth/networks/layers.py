"""Hidden layers of LeakyReLU units, of which some units and some layers are in use."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from qsynth.execution.narrow_matmul import narrow_matmul
from qsynth.space.controls import OFF, is_on

NEGATIVE_SLOPE = 0.2


class Hidden(NamedTuple):
    """What hidden layers find: each layer before its activation, and the last one's after it (batch x width)."""

    units: list[Tensor]
    active: Tensor


class HiddenLayers:
    """``n_layers`` layers of ``width`` units each.

    Units out of use are multiplied by zero; a layer out of use passes on what it gets. The first is always in use.

    Attributes:
        row_size: numbers that they make of a row, before and after their activations.
    """

    def __init__(self, n_inputs: int, width: int, n_layers: int) -> None:
        self._names = [(f"w{index}", f"b{index}") for index in range(1, n_layers + 1)]
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.fan_in: dict[str, int] = {}
        for index, (weights, bias) in enumerate(self._names):
            inputs = width if index else n_inputs
            self.shapes |= {weights: (width, inputs), bias: (width,)}
            self.fan_in |= {weights: inputs, bias: inputs}
        self.row_size = 2 * n_layers * width
        self.matrices = [weights for weights, _ in self._names]

    def __call__(
        self, parameters: Mapping[str, Tensor], inputs: Tensor, unit_mask: Tensor, layer_mask: Tensor = OFF
    ) -> Hidden:
        """The layers of inputs (batch x inputs).

        Args:
            unit_mask: width, 0 for units out of use.
            layer_mask: layers, 0 for those out of use; OFF where all always are in use.
        """
        p, (first, *others) = parameters, self._names
        rows = torch.cat([inputs, torch.ones_like(inputs[:, :1])], dim=1)
        units = [narrow_matmul(rows, torch.cat([p[first[0]].T, p[first[1]][None]]))]
        active = units[0] * slopes(units[0], unit_mask)
        for index, (weights, bias) in enumerate(others, start=1):
            units.append(active @ p[weights].T + p[bias])
            active = chosen(layer_mask, index, units[-1] * slopes(units[-1], unit_mask), active)
        return Hidden(units, active)

    def pulled_back(
        self,
        parameters: Mapping[str, Tensor],
        hidden: Hidden,
        gradient: Tensor,
        unit_mask: Tensor,
        layer_mask: Tensor = OFF,
    ) -> Tensor:
        """Gradients for the inputs times nothing but the first weights: for the first layer's units (batch x width), of
        those for the last layer's activations (width, or batch x width); the chain rule written out."""
        for index in range(len(self._names) - 1, 0, -1):
            through = (slopes(hidden.units[index], unit_mask) * gradient) @ parameters[self._names[index][0]]
            gradient = chosen(layer_mask, index, through, gradient)
        return gradient * slopes(hidden.units[0], unit_mask)


def slopes(units: Tensor, unit_mask: Tensor) -> Tensor:
    """Slopes of LeakyReLU units, 0 for those out of use."""
    return torch.where(units > 0, unit_mask, NEGATIVE_SLOPE * unit_mask)


def chosen(layer_mask: Tensor, index: int, inside: Tensor, outside: Tensor) -> Tensor:
    """What comes out of layer ``index``, or past it if it is out of use."""
    return torch.where(layer_mask[index] > 0, inside, outside) if is_on(layer_mask) else inside

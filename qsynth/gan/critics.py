"""The classical critic."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.parameters import ParameterLayout
from qsynth.narrow import product

NEGATIVE_SLOPE = 0.2


class MLPCritic:
    """Two hidden layers of LeakyReLU units on (x, onehot(y)), no activation behind the last (Gunduz 2025, section 2.2).

    The last layer has no bias: Wasserstein losses do not depend on it, and Adam would let rounding errors drive it.
    The first ``critic_width`` units of each hidden layer are in use; the others are multiplied by zero.
    """

    def __init__(self, n_features: int, n_classes: int, width: int) -> None:
        self.n_inputs, self.width = n_features + n_classes, width
        self.layout = ParameterLayout(
            {
                "w1": (width, self.n_inputs),
                "b1": (width,),
                "w2": (width, width),
                "b2": (width,),
                "w3": (width,),
            }
        )

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial (torch's ``nn.Linear`` rule)."""
        fan_in = {"w1": self.n_inputs, "b1": self.n_inputs}
        bounds = [
            torch.full((math.prod(shape),), 1 / math.sqrt(fan_in.get(name, self.width)))
            for name, shape in self.layout.shapes.items()
        ]
        zero = torch.zeros((), dtype=torch.int64)
        return torch.cat(bounds) * (2 * rng.uniform(seed, stream, zero, self.layout.size) - 1)

    def score(self, parameters: Mapping[str, Tensor], x: Tensor, onehot: Tensor, unit_mask: Tensor) -> Tensor:
        """D(x, y) of each row.

        Args:
            parameters: the critic's, as its ``layout`` splits them.
            x: batch x n_features.
            onehot: batch x n_classes.
            unit_mask: width, 0 for hidden units out of use.

        Returns:
            batch.
        """
        _, second = self._units(parameters, x, onehot, unit_mask)
        return (second * _slope(second, unit_mask) * parameters["w3"]).sum(dim=1)

    def slope(self, parameters: Mapping[str, Tensor], x: Tensor, onehot: Tensor, unit_mask: Tensor) -> Tensor:
        """dD/dx at each row, batch x n_features, as a function that is differentiable in the parameters.

        It is the chain rule written out, with the slopes of LeakyReLU constant, as they are almost everywhere.
        Arguments are those of :meth:`score`.
        """
        first, second = self._units(parameters, x, onehot, unit_mask)
        of_second = _slope(second, unit_mask) * parameters["w3"]
        of_first = of_second @ parameters["w2"] * _slope(first, unit_mask)
        return product(of_first, parameters["w1"][:, : x.shape[1]])

    def _units(
        self, parameters: Mapping[str, Tensor], x: Tensor, onehot: Tensor, unit_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Both hidden layers (batch x width) before their activation."""
        p = parameters
        rows = torch.cat([x, onehot, torch.ones_like(x[:, :1])], dim=1)
        first = product(rows, torch.cat([p["w1"].T, p["b1"][None]]))
        return first, (first * _slope(first, unit_mask)) @ p["w2"].T + p["b2"]


def _slope(units: Tensor, unit_mask: Tensor) -> Tensor:
    """Slopes of LeakyReLU units, 0 for those out of use."""
    return torch.where(units > 0, unit_mask, NEGATIVE_SLOPE * unit_mask)

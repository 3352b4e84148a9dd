"""The classical critic."""

import math

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.parameters import ParameterLayout

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

    def score(self, flat: Tensor, x: Tensor, onehot: Tensor, unit_mask: Tensor) -> Tensor:
        """D(x, y) of each row.

        Args:
            flat: the critic's parameters.
            x: batch x n_features.
            onehot: batch x n_classes.
            unit_mask: width, 0 for hidden units out of use.

        Returns:
            batch.
        """
        p = self.layout.split(flat)
        hidden = torch.cat([x, onehot], dim=1)
        hidden = torch.nn.functional.leaky_relu(hidden @ p["w1"].T + p["b1"], NEGATIVE_SLOPE) * unit_mask
        hidden = torch.nn.functional.leaky_relu(hidden @ p["w2"].T + p["b2"], NEGATIVE_SLOPE) * unit_mask
        return hidden @ p["w3"]

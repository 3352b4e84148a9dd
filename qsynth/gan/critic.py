"""What the training needs of a critic, whatever its kind."""

from typing import Protocol

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.head import Head
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import Controls

Parameters = dict[str, Tensor]


class Critic(Protocol):
    """Pure functions of one trial.

    Attributes:
        layout: of its parameters; bounds: of their uniform starting values.
        row_size: numbers that its hidden layers make of a row.
    """

    layout: ParameterLayout
    bounds: Tensor
    row_size: int
    head: Head

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial (torch's ``nn.Linear`` rule)."""
        zero = torch.zeros((), dtype=torch.int64)
        return self.bounds * (2 * rng.uniform(seed, stream, zero, self.layout.size) - 1)

    def parameters(self, flat: Tensor, controls: Controls) -> Parameters:
        """The parameters as the other methods take them."""
        ...

    def active(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """The last hidden layer of rows (batch x n_features) with labels (batch x n_classes), batch x units."""
        ...

    def score(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """D(x, y) of each row (batch); larger means more likely real. Arguments as of :meth:`active`."""
        return self.head.score(parameters, self.active(parameters, x, onehot, controls), onehot)

    def slope(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """dD/dx at each row, batch x n_features, differentiable in the parameters. Arguments as of :meth:`active`."""
        found: Tensor = torch.func.grad(lambda rows: self.score(parameters, rows, onehot, controls).sum())(x)
        return found

    def labelled(
        self, loss: Tensor, parameters: Parameters, x: Tensor, onehot: Tensor, weights: Tensor, controls: Controls
    ) -> Tensor:
        """A player's loss, with that of naming the classes of rows with weights (batch) where the critic does so."""
        if not self.head.names_classes:
            return loss
        active = self.active(parameters, x, onehot, controls)
        return loss + self.head.misnamed(parameters, active, onehot, weights)

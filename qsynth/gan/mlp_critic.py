"""The critic with hidden layers of units."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from qsynth.execution.narrow_matmul import narrow_matmul
from qsynth.gan.critic import Critic, Parameters
from qsynth.gan.head import CriticOptions, Head
from qsynth.networks.layers import Hidden, HiddenLayers
from qsynth.networks.parameters import ParameterLayout
from qsynth.networks.spectral import normalised
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import Capacity


class MLPCriticConfig(CriticOptions):
    """Hidden layers of units."""

    kind: Literal["mlp"] = "mlp"

    uses: ClassVar[frozenset[str]] = frozenset({"critic_width", "critic_layers"})

    def check(self, n_features: int) -> None:
        """Any number of features will do."""

    def build(self, n_features: int, n_classes: int, capacity: Capacity, has_bias: bool) -> "MLPCritic":
        """The critic; ``has_bias``: whether its scores have an offset."""
        return MLPCritic(n_features, n_classes, capacity.critic_width, capacity.critic_layers, self, has_bias)


class MLPCritic(Critic):
    """Hidden layers of LeakyReLU units on (x, onehot(y)), no activation behind the last (Gunduz 2025, section 2.2).

    The first ``critic_width`` units of each hidden layer, and the first ``critic_layers`` layers, are in use.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        width: int,
        n_layers: int = 2,
        options: CriticOptions | None = None,
        has_bias: bool = False,
    ) -> None:
        self._normalises = options is not None and options.spectral_norm
        self.head = Head(options or CriticOptions(), width, n_classes, has_bias, str(n_layers + 1))
        self._layers = HiddenLayers(n_features + self.head.n_labels_seen, width, n_layers)
        self.row_size = self._layers.row_size
        self.layout = ParameterLayout(self._layers.shapes | self.head.shapes)
        self.bounds = self.layout.bounds(self._layers.fan_in | self.head.fan_in)

    def parameters(self, flat: Tensor, controls: Controls) -> Parameters:
        """The layout's, divided by their spectral norms if that is asked for; only what is in use counts in those."""
        p = self.layout.split(flat)
        if self._normalises:
            mask = controls.unit_mask
            first, *others = self._layers.matrices
            p |= {first: normalised(p[first] * mask[:, None])}
            p |= {name: normalised(p[name] * mask * mask[:, None]) for name in others}
            p |= {name: normalised(p[name] * mask) for name in self.head.matrices}
        return p

    def active(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """See :class:`Critic`."""
        return self._hidden(parameters, x, onehot, controls).active

    def slope(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """See :class:`Critic`.

        It is the chain rule written out, with the slopes of LeakyReLU constant, as they are almost everywhere.
        """
        hidden = self._hidden(parameters, x, onehot, controls)
        of_active = self.head.weights(parameters, onehot)
        of_first = self._layers.pulled_back(
            parameters, hidden, of_active, controls.unit_mask, controls.critic_layer_mask
        )
        return narrow_matmul(of_first, parameters[self._layers.matrices[0]][:, : x.shape[1]])

    def _hidden(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Hidden:
        inputs = torch.cat([x, self.head.seen(onehot)], dim=1)
        return self._layers(parameters, inputs, controls.unit_mask, controls.critic_layer_mask)

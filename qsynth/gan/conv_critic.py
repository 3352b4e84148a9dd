"""The convolutional critic of the second source paper (section 2.1)."""

from typing import ClassVar, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor
from torch.nn.functional import pad

from qsynth.errors import StudyError
from qsynth.gan.critic import Critic, Parameters
from qsynth.gan.head import CriticOptions, Head
from qsynth.networks.layers import chosen, slopes
from qsynth.networks.parameters import ParameterLayout
from qsynth.networks.spectral import normalised
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import Capacity


class ConvCriticConfig(CriticOptions):
    """Convolutions.

    Attributes:
        image_shape: (rows, columns) of the image that a row's features are, line by line; left out: the features are
            convolved along their one axis.
    """

    kind: Literal["conv"] = "conv"
    image_shape: tuple[PositiveInt, PositiveInt] | None = None

    uses: ClassVar[frozenset[str]] = frozenset({"critic_width", "critic_layers", "filter_size"})

    def check(self, n_features: int) -> None:
        """Refuse data that are not the image's pixels.

        Raises:
            QsynthError: another number of features.
        """
        if self.image_shape is not None and self.image_shape[0] * self.image_shape[1] != n_features:
            height, width = self.image_shape
            raise StudyError(
                f"critic.image_shape must have as many pixels as the data has features, {n_features}; got {height} x "
                f"{width}"
            )

    def build(self, n_features: int, n_classes: int, capacity: Capacity, has_bias: bool) -> "ConvCritic":
        """The critic; ``has_bias``: whether its scores have an offset."""
        shape = self.image_shape or (1, n_features)
        sizes = capacity.critic_width, capacity.critic_layers, capacity.filter_size
        return ConvCritic(shape, n_classes, *sizes, self, has_bias)


class ConvCritic(Critic):
    """Convolutions with LeakyReLU on the features, to which the label's onehot are further channels [Mirza & Osindero
    2014]; zeros beyond the border; one score of all positions and channels.

    A filter's taps are ordered outwards from its centre: 0, 1, -1, 2, -2, ...; the first ``filter_size`` of each axis,
    the first ``critic_width`` channels and the first ``critic_layers`` layers are in use. A layer out of use passes on
    what it gets; the first is always in use.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        n_classes: int,
        width: int,
        n_layers: int,
        filter_size: int,
        options: CriticOptions,
        has_bias: bool,
    ) -> None:
        self._shape, self._width, self._normalises = shape, width, options.spectral_norm
        self.head = Head(options, shape[0] * shape[1] * width, n_classes, has_bias, str(n_layers + 1))
        ranks = [(rank + 1) // 2 * (1 if rank % 2 else -1) for rank in range(filter_size)]
        # A line of features has one row only, so taps above and below it would see zeros.
        vertical = list(enumerate(ranks)) if shape[0] > 1 else [(0, 0)]
        self._taps = [((i, j), (up, along)) for i, up in vertical for j, along in enumerate(ranks)]
        self._border = filter_size // 2
        self._names = [(f"w{index}", f"b{index}") for index in range(1, n_layers + 1)]
        # What the taps see of each channel, and the channel before and after its activation.
        self.row_size = shape[0] * shape[1] * n_layers * width * (len(self._taps) + 2)
        shapes: dict[str, tuple[int, ...]] = {}
        fan_in: dict[str, int] = {}
        for index, (weights, bias) in enumerate(self._names):
            inputs = len(self._taps) * (width if index else 1 + self.head.n_labels_seen)
            shapes |= {weights: (width, inputs), bias: (width,)}
            fan_in |= {weights: inputs, bias: inputs}
        self.layout = ParameterLayout(shapes | self.head.shapes)
        self.bounds = self.layout.bounds(fan_in | self.head.fan_in)

    def parameters(self, flat: Tensor, controls: Controls) -> Parameters:
        """The layout's, with filters cut to what is in use, and divided by their spectral norms if that is asked for.

        Deviation: with Miyato et al. 2018, the norm is that of the matrix of filters, not of the convolution.
        """
        p = self.layout.split(flat)
        on, units = controls.filter_mask, controls.unit_mask
        taps = torch.stack([on[i] * on[j] for (i, j), _ in self._taps])
        for index, (weights, _) in enumerate(self._names):
            channels = units if index else units.new_ones(1 + self.head.n_labels_seen)
            p[weights] = p[weights] * (taps[:, None] * channels).flatten() * units[:, None]
        if self._normalises:
            everywhere = units.repeat(self._shape[0] * self._shape[1])
            p |= {weights: normalised(p[weights]) for weights, _ in self._names}
            p |= {name: normalised(p[name] * everywhere) for name in self.head.matrices}
        return p

    def active(self, parameters: Parameters, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """See :class:`Critic`; units are positions x channels."""
        image = x.reshape(len(x), *self._shape, 1)
        labels = self.head.seen(onehot)[:, None, None, :].expand(-1, *self._shape, -1)
        active = torch.cat([image, labels], dim=3)
        for index, (weights, bias) in enumerate(self._names):
            units = self._windows(active) @ parameters[weights].T + parameters[bias]
            found = units * slopes(units, controls.unit_mask)
            active = chosen(controls.critic_layer_mask, index, found, active) if index else found
        return active.flatten(1)

    def _windows(self, channels: Tensor) -> Tensor:
        """What the taps see at each position, batch x rows x columns x (taps channels), of batch x rows x columns x
        channels."""
        (height, width), border = self._shape, self._border
        above = border if height > 1 else 0
        wide = pad(channels, (0, 0, border, border, above, above))
        return torch.cat(
            [
                wide[:, above + up : above + up + height, border + along : border + along + width]
                for _, (up, along) in self._taps
            ],
            dim=3,
        )

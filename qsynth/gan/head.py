"""The last, linear layer of a critic, and how the critic learns of labels."""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from qsynth.config import Config


class CriticOptions(Config):
    """What every kind of critic offers.

    Attributes:
        spectral_norm: whether every weight matrix is divided by its largest singular value.
        conditioning: ``concat`` shows the critic the label beside the row [Mirza & Osindero 2014]; ``projection`` adds
            to the score the product of a learned vector of the class with the last hidden layer [Miyato & Koyama 2018,
            Eq. 4]; ``auxiliary`` has the critic name the class, which both players learn from [Odena et al. 2017].
        auxiliary_weight: of the classification's cross-entropy in both losses.
    """

    spectral_norm: bool = False
    conditioning: Literal["concat", "projection", "auxiliary"] = "concat"
    auxiliary_weight: float = Field(1.0, gt=0, le=1000)


class Head:
    """Scores, and with an auxiliary classifier classes, of the last hidden layer.

    Args:
        n_units: of the last hidden layer.
        has_bias: whether scores have an offset. Where a loss does not depend on it, it has no place: Adam would let
            rounding errors drive it.
        name: of the parameters.
    """

    def __init__(self, options: CriticOptions, n_units: int, n_classes: int, has_bias: bool, name: str) -> None:
        self._options, self._name, self._has_bias = options, name, has_bias
        self.n_labels_seen = n_classes if options.conditioning == "concat" else 0
        self.shapes: dict[str, tuple[int, ...]] = {f"w{name}": (n_units,)}
        if has_bias:
            self.shapes[f"b{name}"] = (1,)
        if options.conditioning != "concat":
            self.shapes["classes"] = (n_classes, n_units)
        if options.conditioning == "auxiliary":
            self.shapes["class_bias"] = (n_classes,)
        self.fan_in = dict.fromkeys(self.shapes, n_units)
        # Matrices that multiply the last hidden layer.
        self.matrices = [each for each in self.shapes if each in (f"w{name}", "classes")]

    def weights(self, parameters: Mapping[str, Tensor], onehot: Tensor) -> Tensor:
        """What multiplies the last hidden layer: n_units, or batch x n_units for labels (batch x classes)."""
        weights = parameters[f"w{self._name}"]
        if self._options.conditioning == "projection":
            return weights + onehot @ parameters["classes"]
        return weights

    def score(self, parameters: Mapping[str, Tensor], active: Tensor, onehot: Tensor) -> Tensor:
        """D of each row (batch) from its last hidden layer (batch x n_units)."""
        score = (active * self.weights(parameters, onehot)).sum(dim=1)
        return score + parameters[f"b{self._name}"] if self._has_bias else score

    def seen(self, onehot: Tensor) -> Tensor:
        """What the hidden layers are shown of the labels, batch x ``n_labels_seen``."""
        return onehot[:, : self.n_labels_seen]

    @property
    def names_classes(self) -> bool:
        """Whether there is an auxiliary classifier."""
        return self._options.conditioning == "auxiliary"

    def misnamed(self, parameters: Mapping[str, Tensor], active: Tensor, onehot: Tensor, weights: Tensor) -> Tensor:
        """Weighted cross-entropy of the auxiliary classifier, of last hidden layers (batch x n_units)."""
        logits = active @ parameters["classes"].T + parameters["class_bias"]
        found = (torch.log_softmax(logits, dim=1) * onehot).sum(dim=1)
        return -self._options.auxiliary_weight * (found * weights).sum()

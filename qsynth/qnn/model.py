"""Variational quantum models: a classifier and a regressor."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.networks.parameters import ParameterLayout


class QuantumModel(ABC):
    """Encoder of the features, variational layers, <Z> of one qubit an output.

    Features enter as angles ``pi/2 * scale * x``; outputs are ``gain * <Z_k> + bias_k``. With fewer features than
    inputs the others stay at angle 0.

    Attributes:
        name: of its kind, unique.
    """

    name: str

    def __init__(self, circuit: Circuit, n_features: int, n_outputs: int) -> None:
        self.circuit, self.n_features, self.n_outputs = circuit, n_features, n_outputs
        self.layout = ParameterLayout(
            {
                "scale": (n_features,),
                "weights": (circuit.n_layers, circuit.n_layer_weights),
                "gain": (1,),
                "bias": (n_outputs,),
            }
        )
        self._layer_mask = torch.ones(circuit.n_layers)

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters: unit scale, layer angles uniform in +-pi, gain 2, no bias."""
        n_weights = self.circuit.n_layers * self.circuit.n_layer_weights
        angles = math.pi * (2 * rng.uniform(seed, stream, torch.zeros((), dtype=torch.int64), n_weights) - 1)
        return torch.cat([torch.ones(self.n_features), angles, torch.full((1,), 2.0), torch.zeros(self.n_outputs)])

    def outputs(self, flat: Tensor, x: Tensor) -> Tensor:
        """Rows x n_outputs, of rows ``x`` (rows x n_features) in the generator's scaled space."""
        p = self.layout.split(flat)
        angles = 0.5 * math.pi * p["scale"] * x
        idle = torch.zeros(x.shape[0], self.circuit.n_inputs - self.n_features, dtype=x.dtype)
        z = self.circuit.expectations(torch.cat([angles, idle], dim=1), p["weights"], self._layer_mask)
        return p["gain"] * z[:, : self.n_outputs] + p["bias"]

    def loss(self, flat: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """What a fit makes small, a scalar: the rows' losses, each times its weight.

        Args:
            target: rows x n_outputs.
            weight: rows; sums to 1.
        """
        return (weight * self.losses(self.outputs(flat, x), target)).sum()

    @abstractmethod
    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Of each row, of outputs and target (rows x n_outputs)."""

    @abstractmethod
    def accuracy(self, outputs: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """How right outputs are, a scalar, at most 1."""

    @abstractmethod
    def weights(self, target: Tensor, used: Tensor) -> Tensor:
        """Of rows in an evaluation, trials x rows, of sum 1.

        Args:
            target: trials x rows x n_outputs.
            used: rows, 1 or 0.
        """


class QuantumClassifier(QuantumModel):
    """Outputs are a class's logit each, losses cross-entropies in nats. Targets are shares of the classes.

    In evaluations all classes weigh the same.
    """

    name = "qnn"

    def logits(self, flat: Tensor, x: Tensor) -> Tensor:
        """The outputs."""
        return self.outputs(flat, x)

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Cross-entropies."""
        return -(target * torch.log_softmax(outputs, dim=1)).sum(dim=1)

    def accuracy(self, outputs: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The weight of those rows whose largest logit is that of their class."""
        correct = (outputs.argmax(dim=1) == target.argmax(dim=1)).to(weight.dtype)
        return (weight * correct).sum()

    def weights(self, target: Tensor, used: Tensor) -> Tensor:
        """See :func:`balanced`."""
        return balanced(target * used[:, None])


class QuantumRegressor(QuantumModel):
    """Outputs are predictions; a row's loss is its squared error, the mean of its outputs'."""

    name = "qnn_regressor"

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Squared errors."""
        return (outputs - target).square().mean(dim=1)

    def accuracy(self, outputs: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The share of the target's variance that the outputs explain (R^2); below 0 where its mean is closer."""
        mean = weight @ target
        return 1 - (weight @ (outputs - target).square()).sum() / (weight @ (target - mean).square()).sum()

    def weights(self, target: Tensor, used: Tensor) -> Tensor:
        """All the same."""
        return (used / used.sum()).expand(target.shape[:2])


def balanced(onehot: Tensor) -> Tensor:
    """Weights that sum to 1, trials x rows, in which every class that there is has the same; rows without a label 0."""
    shares = onehot.sum(dim=1, keepdim=True)
    weight = (onehot / shares.clamp(min=1)).sum(dim=2)
    return weight / weight.sum(dim=1, keepdim=True)

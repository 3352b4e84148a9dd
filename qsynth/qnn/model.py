"""A variational quantum classifier."""

import math

import torch
from torch import Tensor

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.networks.parameters import ParameterLayout


class QuantumClassifier:
    """Encoder of the features, variational layers, <Z> of one qubit a class as logits.

    Features enter as angles ``pi/2 * scale * x``; logits are ``gain * <Z_c> + bias_c``. With fewer features than inputs
    the others stay at angle 0.
    """

    def __init__(self, circuit: Circuit, n_features: int, n_classes: int) -> None:
        self.circuit, self.n_features, self.n_classes = circuit, n_features, n_classes
        self.layout = ParameterLayout(
            {
                "scale": (n_features,),
                "weights": (circuit.n_layers, circuit.n_layer_weights),
                "gain": (1,),
                "bias": (n_classes,),
            }
        )
        self._layer_mask = torch.ones(circuit.n_layers)

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters: unit scale, layer angles uniform in +-pi, gain 2, no bias."""
        n_weights = self.circuit.n_layers * self.circuit.n_layer_weights
        angles = math.pi * (2 * rng.uniform(seed, stream, torch.zeros((), dtype=torch.int64), n_weights) - 1)
        return torch.cat([torch.ones(self.n_features), angles, torch.full((1,), 2.0), torch.zeros(self.n_classes)])

    def logits(self, flat: Tensor, x: Tensor) -> Tensor:
        """Logits (batch x n_classes) of rows ``x`` (batch x n_features) in the generator's scaled space."""
        p = self.layout.split(flat)
        angles = 0.5 * math.pi * p["scale"] * x
        idle = torch.zeros(x.shape[0], self.circuit.n_inputs - self.n_features, dtype=x.dtype)
        z = self.circuit.expectations(torch.cat([angles, idle], dim=1), p["weights"], self._layer_mask)
        return p["gain"] * z[:, : self.n_classes] + p["bias"]

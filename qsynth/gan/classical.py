"""The classical generator: what a quantum one is to be compared with."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.gan.generator import Generator, GeneratorOptions
from qsynth.gan.quantum import QuantumGenerator
from qsynth.networks.layers import HiddenLayers
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import OFF, Controls
from qsynth.space.hyperparameters import Capacity


class ClassicalGeneratorConfig(GeneratorOptions):
    """The ablation of the quantum generator.

    Attributes:
        n_hidden: hidden units; left out: as many as make the number of parameters that of the quantum generator which
            the trial's other settings describe, as closely as whole units can.
    """

    kind: Literal["classical"] = "classical"
    n_hidden: int | None = Field(None, ge=1, le=4096)

    def build(self, circuit: Circuit, n_features: int, n_classes: int, capacity: Capacity) -> "ClassicalGenerator":
        """The generator; ``circuit`` is that of the quantum one to be matched."""
        n_hidden, n_inputs = self.n_hidden, capacity.latent_dim + n_classes
        if n_hidden is None:
            patches = -(-n_features // circuit.n_outputs)
            quantum = QuantumGenerator(circuit, n_features, capacity.latent_dim, n_classes, patches)
            n_hidden = max(1, round((quantum.layout.size - n_features) / (n_inputs + 1 + n_features)))
        return ClassicalGenerator(n_features, capacity.latent_dim, n_classes, n_hidden)


class ClassicalGenerator(Generator):
    """``x = tanh(V h + c)`` of the last of some hidden layers ``h`` of LeakyReLU units of ``[z * mask, onehot(y)]``."""

    def __init__(self, n_features: int, latent_dim: int, n_classes: int, width: int, n_layers: int = 1) -> None:
        self.n_features, self.n_noise = n_features, latent_dim
        self._layers = HiddenLayers(latent_dim + n_classes, width, n_layers)
        self.row_size = self._layers.row_size
        self._all = torch.ones(width)
        self.layout = ParameterLayout(self._layers.shapes | {"w_out": (n_features, width), "b_out": (n_features,)})
        self._bounds = self.layout.bounds(self._layers.fan_in | {"w_out": width, "b_out": width})

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial: torch's ``nn.Linear`` rule."""
        zero = torch.zeros((), dtype=torch.int64)
        return self._bounds * (2 * rng.uniform(seed, stream, zero, self.layout.size) - 1)

    def sample(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """Rows (batch x n_features), in (-1, 1)."""
        p = self.layout.split(flat)
        inputs = torch.cat([noise * controls.latent_mask, onehot], dim=1)
        hidden = self._layers(p, inputs, *self._masks(controls))
        return torch.tanh(hidden.active @ p["w_out"].T + p["b_out"])

    def _masks(self, controls: Controls) -> tuple[Tensor, Tensor]:
        """Of hidden units and layers: all are in use."""
        return self._all.to(controls.latent_mask.dtype), OFF

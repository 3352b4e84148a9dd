"""The classical generator: what a quantum one is to be compared with."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.gan.generator import Generator, GeneratorOptions
from qsynth.gan.quantum import Inputs, QuantumGenerator
from qsynth.gan.reading import as_read, shots_of
from qsynth.networks.layers import HiddenLayers
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import OFF, Controls
from qsynth.space.hyperparameters import SHOTS, Capacity


class ClassicalGeneratorConfig(GeneratorOptions):
    """The ablation of the quantum generator.

    Attributes:
        n_hidden: hidden units; left out: as many as make the number of parameters that of the quantum generator which
            the trial's other settings describe, as closely as whole units can.
        inputs: of that quantum generator.

    Where the trial's engine has finite shots, it reads its outputs with their noise.
    """

    kind: Literal["classical"] = "classical"
    n_hidden: int | None = Field(None, ge=1, le=4096)
    inputs: Inputs = "shift"

    @property
    def uses(self) -> frozenset[str]:
        """Latent coordinates, and the shots whose noise it has."""
        return frozenset({"latent_dim", SHOTS})

    def build(self, circuit: Circuit, n_features: int, n_classes: int, capacity: Capacity) -> "ClassicalGenerator":
        """The generator; ``circuit`` is that of the quantum one to be matched."""
        n_hidden, n_inputs = self.n_hidden, capacity.latent_dim + n_classes
        if n_hidden is None:
            patches = -(-n_features // circuit.n_outputs)
            sizes = n_features, capacity.latent_dim, n_classes, patches
            quantum = QuantumGenerator(circuit, *sizes, n_layers=capacity.n_layers, inputs=self.inputs)
            n_hidden = max(1, round((quantum.layout.size - n_features) / (n_inputs + 1 + n_features)))
        return ClassicalGenerator(n_features, capacity.latent_dim, n_classes, n_hidden, shots=circuit.shots)


class ClassicalGenerator(Generator):
    """``x = tanh(V h + c)`` of the last of some hidden layers ``h`` of LeakyReLU units of ``[z * mask, onehot(y)]``.

    Args:
        shots: where given, x has the noise of so many (:func:`qsynth.gan.reading.as_read`); ``noise`` then has as many
            further numbers as there are features.
    """

    def __init__(
        self,
        n_features: int,
        latent_dim: int,
        n_classes: int,
        width: int,
        n_layers: int = 1,
        shots: int | None = None,
    ) -> None:
        self.n_features, self.n_latent, self._shots = n_features, latent_dim, shots
        self.n_noise = latent_dim + (0 if shots is None else n_features)
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
        inputs = torch.cat([noise[:, : self.n_latent] * controls.latent_mask, onehot], dim=1)
        out = self._layers(p, inputs, *self._masks(controls)).active @ p["w_out"].T + p["b_out"]
        if self._shots is None:
            return torch.tanh(out)
        return as_read(out, noise[:, self.n_latent :], shots_of(self._shots, controls))

    def _masks(self, controls: Controls) -> tuple[Tensor, Tensor]:
        """Of hidden units and layers: all are in use."""
        return self._all.to(controls.latent_mask.dtype), OFF

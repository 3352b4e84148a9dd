"""The hybrid quantum generator: Linear -> encoder -> variational layers -> expectation values."""

import math
from typing import Protocol

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.parameters import ParameterLayout
from qsynth.narrow import product

ANGLE_SPREAD = 0.1


class Circuit(Protocol):
    """What a generator or a QNN needs of an engine."""

    n_qubits: int
    n_layers: int
    n_inputs: int
    n_layer_weights: int
    fingerprint: str

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """Batch x outputs, of ``inputs`` (batch x inputs), ``weights`` (layers x ...), ``layer_mask`` (layers)."""
        ...


class QuantumGenerator:
    """Generator of Gunduz 2025, section 2.1, conditional on the class label.

    ``x`` is the first ``n_features`` outputs of ``circuit(W [z * mask, onehot(y)] + b, weights)``. The data is scaled
    into (-1, 1), where expectation values live. Deviations: every feature has its own output, and the angles start at
    pi/2, where <Z> is 0 and most sensitive, rather than near 0, where <Z> = 1 and its gradient vanishes.
    """

    def __init__(self, circuit: Circuit, n_features: int, latent_dim: int, n_classes: int) -> None:
        self.circuit, self.n_features = circuit, n_features
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.layout = ParameterLayout(
            {
                "linear": (circuit.n_inputs, latent_dim + n_classes),
                "bias": (circuit.n_inputs,),
                "weights": (circuit.n_layers, circuit.n_layer_weights),
            }
        )

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial: torch's ``nn.Linear`` rule, small angles (sd 0.1 rad) in the layers."""
        inputs = self.latent_dim + self.n_classes
        zero = torch.zeros((), dtype=torch.int64)
        n_linear = self.circuit.n_inputs * inputs
        linear = (2 * rng.uniform(seed, stream, zero, n_linear + self.circuit.n_inputs) - 1) / math.sqrt(inputs)
        weights = ANGLE_SPREAD * rng.normal(seed, stream, zero + 1, self.layout.size - linear.shape[0])
        start = torch.cat([torch.zeros(n_linear), torch.full((self.circuit.n_inputs,), math.pi / 2)])
        return torch.cat([linear + start, weights])

    def sample(self, flat: Tensor, z: Tensor, onehot: Tensor, latent_mask: Tensor, layer_mask: Tensor) -> Tensor:
        """Rows for one trial.

        Args:
            flat: the generator's parameters.
            z: batch x latent_dim, standard normal.
            onehot: batch x n_classes, the labels to generate.
            latent_mask: latent_dim, 0 for latent coordinates out of use.
            layer_mask: layers, 0 for circuit layers out of use.

        Returns:
            batch x n_features, in [-1, 1].
        """
        angles, weights = self.angles(flat, z, onehot, latent_mask)
        return self.circuit.expectations(angles, weights, layer_mask)[:, : self.n_features]

    def angles(self, flat: Tensor, z: Tensor, onehot: Tensor, latent_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The circuit's inputs (batch x inputs) and weights (layers x ...); arguments as of :meth:`sample`."""
        p = self.layout.split(flat)
        return product(torch.cat([z * latent_mask, onehot], dim=1), p["linear"].T) + p["bias"], p["weights"]

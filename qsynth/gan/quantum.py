"""The hybrid quantum generator: Linear -> encoder -> variational layers -> expectation values."""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.execution.narrow_matmul import narrow_matmul
from qsynth.gan.generator import Generator, GeneratorOptions
from qsynth.gan.reading import dithered, shots_of
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import Controls, is_on
from qsynth.space.hyperparameters import SHOTS, Capacity

ANGLE_SPREAD = 0.1
Inputs = Literal["shift", "affine"]


class QuantumGeneratorConfig(GeneratorOptions):
    """A circuit, or several.

    Attributes:
        patches: how many circuits of the same ansatz, with parameters of their own, make a row's features together
            (patch generator, Huang et al., Phys. Rev. Applied 16, 024051 (2021), arXiv 2010.06201).
        inputs: what a class label does to the angles W z + b: ``shift`` adds a vector of the class, ``affine`` gives
            each class a matrix W and a vector b of its own.
        output_scale: whether each feature is multiplied by a parameter that starts at 1; outputs of deep circuits
            hardly spread. Rows may leave [-1, 1] then.
    """

    kind: Literal["quantum"] = "quantum"
    patches: int = Field(1, ge=1, le=1024)
    inputs: Inputs = "shift"
    output_scale: bool = False

    @property
    def uses(self) -> frozenset[str]:
        """Latent coordinates, the circuit's layers, their pattern, shots."""
        return frozenset({"latent_dim", "n_layers", "pattern", SHOTS})

    def most_features(self, n_qubits: int, n_outputs: int) -> float:
        """Every patch makes a feature of each output."""
        return n_outputs * self.patches

    def circuit_rows(self, n_rows: int, n_classes: int) -> int:
        """One for each row and patch."""
        return n_rows * self.patches

    def build(self, circuit: Circuit, n_features: int, n_classes: int, capacity: Capacity) -> "QuantumGenerator":
        """The generator."""
        sizes = n_features, capacity.latent_dim, n_classes, self.patches
        return QuantumGenerator(circuit, *sizes, self.output_scale, capacity.n_layers, self.inputs)


class QuantumGenerator(Generator):
    """Generator of Gunduz 2025, section 2.1, conditional on the class label.

    ``x`` is the first ``n_features`` outputs of ``circuit(W [z * mask, onehot(y)] + b, weights)``. The data is scaled
    into (-1, 1), where expectation values live. Deviations: every feature has its own output, and the angles start at
    pi/2, where <Z> is 0 and most sensitive, rather than near 0, where <Z> = 1 and its gradient vanishes.

    With inputs ``affine``, ``z * mask`` is replaced by its outer product with ``onehot(y)``, so that every class has a
    matrix of its own.

    Where the circuit has finite shots, its outputs lie on a lattice; noise of one step's width takes them off it
    (:func:`qsynth.gan.reading.dithered`).

    With patches, all circuits get the same noise, and their outputs follow each other.

    Args:
        n_layers: of the ansatz; left out: the circuit's. Where the circuit has more, these are their patterns
            (:meth:`qsynth.circuits.ansatz.Ansatz.with_patterns`), of which ``pattern`` chooses.
    """

    def __init__(
        self,
        circuit: Circuit,
        n_features: int,
        latent_dim: int,
        n_classes: int,
        patches: int = 1,
        output_scale: bool = False,
        n_layers: int | None = None,
        inputs: Inputs = "shift",
    ) -> None:
        self.circuit, self.n_features, self.patches = circuit, n_features, patches
        self._n_layers = circuit.n_layers if n_layers is None else n_layers
        self._n_patterns = circuit.n_layers // self._n_layers
        self.n_latent, self.n_classes = latent_dim, n_classes
        self.n_noise = latent_dim + (0 if circuit.shots is None else n_features)
        self._scales, self._is_affine = output_scale, inputs == "affine"
        # Columns of the linear layer, and how many of them act in one row.
        self._n_columns, self._fan_in = latent_dim + n_classes, latent_dim + n_classes
        if self._is_affine:
            self._n_columns, self._fan_in = (latent_dim + 1) * n_classes, latent_dim + 1
        shapes: dict[str, tuple[int, ...]] = {
            "linear": (patches * circuit.n_inputs, self._n_columns),
            "bias": (patches * circuit.n_inputs,),
            "weights": (patches * self._n_layers, circuit.n_layer_weights),
        }
        self.layout = ParameterLayout(shapes | ({"scale": (n_features,)} if output_scale else {}))

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial: torch's ``nn.Linear`` rule, small angles (sd 0.1 rad) in the layers."""
        zero = torch.zeros((), dtype=torch.int64)
        n_angles = self.patches * self.circuit.n_inputs
        n_scales = self.n_features if self._scales else 0
        n_linear = n_angles * self._n_columns
        linear = (2 * rng.uniform(seed, stream, zero, n_linear + n_angles) - 1) / math.sqrt(self._fan_in)
        weights = ANGLE_SPREAD * rng.normal(seed, stream, zero + 1, self.layout.size - linear.shape[0] - n_scales)
        start = torch.cat([torch.zeros(n_linear), torch.full((n_angles,), math.pi / 2)])
        return torch.cat([linear + start, weights, torch.ones(n_scales)])

    def sample(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """Rows (batch x n_features), in [-1, 1] unless they are scaled.

        ``noise`` has the latent coordinates first; with finite shots as many further numbers follow as there are
        features.
        """
        p = self.layout.split(flat)
        angles = self._angles(p, noise, onehot, controls)
        mask, weights = self._of_patterns(controls, p["weights"].unflatten(0, (self.patches, self._n_layers)))
        most = self.circuit.shots
        wanted = [controls.shots] if is_on(controls.shots) and most is not None else []
        if self.patches == 1:
            made = self.circuit.expectations(angles, weights[0], mask, *wanted)
        else:
            of_patches = vmap(self.circuit.expectations, in_dims=(1, 0, None, *(None for _ in wanted)), out_dims=1)
            made = of_patches(angles.unflatten(1, (self.patches, -1)), weights, mask, *wanted).flatten(1)
        rows = made[:, : self.n_features]
        if most is not None:
            rows = dithered(rows, noise[:, self.n_latent :], shots_of(most, controls))
        return rows * p["scale"] if self._scales else rows

    def angles(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """The first circuit's inputs (batch x inputs) and weights (layers x ...); arguments as of :meth:`sample`."""
        p = self.layout.split(flat)
        inputs = self._angles(p, noise, onehot, controls)[:, : self.circuit.n_inputs]
        return inputs, p["weights"][: self._n_layers]

    def _of_patterns(self, controls: Controls, weights: Tensor) -> tuple[Tensor, Tensor]:
        """The circuit's mask and weights (patches x its layers x ...), given those of the ansatz's layers."""
        if self._n_patterns == 1:
            return controls.layer_mask, weights
        pattern = controls.pattern if is_on(controls.pattern) else torch.zeros(())
        chosen = (torch.arange(self._n_patterns, device=weights.device) == pattern).to(weights.dtype)
        mask = (controls.layer_mask[:, None] * chosen).flatten()
        return mask, weights.repeat_interleave(self._n_patterns, dim=1)

    def _angles(self, p: dict[str, Tensor], noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """All circuits' inputs, batch x (patches inputs)."""
        z = noise[:, : self.n_latent] * controls.latent_mask
        if self._is_affine:
            z = (z[:, :, None] * onehot[:, None, :]).flatten(1)
        return narrow_matmul(torch.cat([z, onehot], dim=1), p["linear"].T) + p["bias"]

"""The Born machine: a circuit's probabilities are those of the values on a grid."""

import math
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.circuits.circuit import Circuit
from qsynth.circuits.readout import PauliWords
from qsynth.data.scaling import TRAINING_RANGE
from qsynth.errors import StudyError
from qsynth.gan.generator import EnumeratedRows, GeneratedRows, Generator, GeneratorOptions
from qsynth.gan.quantum import ANGLE_SPREAD
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import Capacity

MAX_QUBITS = 12


class BornGeneratorConfig(GeneratorOptions):
    """A Born machine.

    Attributes:
        low, high: ends of the grid in every feature, in the scaled space; training rows are scaled to fill just the
            range that these have if they are left out.
    """

    kind: Literal["born"] = "born"
    low: float = Field(-TRAINING_RANGE, ge=-10, le=10)
    high: float = Field(TRAINING_RANGE, ge=-10, le=10)

    lists_rows: ClassVar[bool] = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high; got {self.low} and {self.high}")
        return self

    @property
    def uses(self) -> frozenset[str]:
        """Layers."""
        return frozenset({"n_layers"})

    def readout(self, readout: str | PauliWords) -> str | PauliWords:
        """The probabilities of all basis states.

        Raises:
            QsynthError: the trial asks for another readout.
        """
        if readout not in ("z", "probabilities"):
            raise StudyError(f"readout must be left out with generator born, which has probabilities; got {readout!r}")
        return "probabilities"

    def most_features(self, n_qubits: int, n_outputs: int) -> float:
        """One a qubit, of two values."""
        return n_qubits

    def outputs_used(self, n_features: int, n_outputs: int) -> int:
        """All."""
        return n_outputs

    def circuit_rows(self, n_rows: int, n_classes: int) -> int:
        """Inputs of circuits that any number of rows takes: one a class."""
        return n_classes

    def build(self, circuit: Circuit, n_features: int, n_classes: int, capacity: Capacity) -> "BornGenerator":
        """The generator.

        Raises:
            QsynthError: more than :data:`MAX_QUBITS` qubits, whose grid is too long a list.
        """
        if circuit.n_qubits > MAX_QUBITS:
            raise StudyError(f"n_qubits must be at most {MAX_QUBITS} with generator born; got {circuit.n_qubits}")
        return BornGenerator(circuit, n_features, n_classes, self.low, self.high)


class BornGenerator(Generator):
    """p(x | y) = |<i(x)| U(theta_y) |0>|^2 on a grid of 2^n_qubits points [Cheng, Chen & Wang 2018; Liu & Wang 2018].

    Every class has inputs and weights of the circuit of its own, and every feature as equal a share of the qubits as
    there is, the first features the larger ones; the first wire is the highest bit of the first feature. Losses average
    the critic over the whole distribution, so they are exact and differentiable, where samples would have no gradient.
    """

    def __init__(self, circuit: Circuit, n_features: int, n_classes: int, low: float, high: float) -> None:
        self.circuit, self.n_features, self.n_classes = circuit, n_features, n_classes
        self.n_noise = 1
        self.layout = ParameterLayout(
            {
                "inputs": (n_classes, circuit.n_inputs),
                "weights": (n_classes, circuit.n_layers, circuit.n_layer_weights),
            }
        )
        self.grid = torch.tensor(grid(circuit.n_qubits, n_features, low, high), dtype=torch.float32)

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial: angles of sd 0.1 rad around pi/2 at the inputs, where the usual encoders
        make all outcomes equally likely, and around 0 in the layers."""
        noise = ANGLE_SPREAD * rng.normal(seed, stream, torch.zeros((), dtype=torch.int64), self.layout.size)
        n_inputs = self.n_classes * self.circuit.n_inputs
        centre = torch.cat([torch.full((n_inputs,), math.pi / 2), torch.zeros(self.layout.size - n_inputs)])
        return centre + noise

    def probabilities(self, flat: Tensor, controls: Controls) -> Tensor:
        """Of each grid point in each class, classes x 2^qubits."""
        p = self.layout.split(flat)
        of_classes = vmap(self.circuit.expectations, in_dims=(0, 0, None))
        return (of_classes(p["inputs"][:, None], p["weights"], controls.layer_mask)[:, 0] + 1) / 2

    def sample(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """Rows (batch x n_features): grid points, drawn with their probabilities. They have no gradient."""
        return self._drawn(self.probabilities(flat, controls), noise, onehot)

    def make(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> GeneratedRows:
        """Drawn rows, and the whole distribution."""
        found = self.probabilities(flat, controls)
        x = self.grid.to(found.dtype).repeat(self.n_classes, 1)
        labels = torch.eye(self.n_classes, dtype=found.dtype).repeat_interleave(len(self.grid), dim=0)
        return GeneratedRows(self._drawn(found, noise, onehot), EnumeratedRows(x, labels, found.flatten()))

    def angles(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """The circuit's inputs (batch x inputs) for labels, and weights (layers x ...) for the first of them."""
        p = self.layout.split(flat)
        return onehot @ p["inputs"], torch.einsum("c,clw->lw", onehot[0], p["weights"])

    def _drawn(self, probabilities: Tensor, noise: Tensor, onehot: Tensor) -> Tensor:
        """The grid points at which the cumulated probabilities pass uniform numbers."""
        cumulated = onehot @ probabilities.detach().cumsum(dim=1)
        u = torch.special.ndtr(noise) * cumulated[:, -1:]
        return self.grid.to(noise.dtype)[(u > cumulated[:, :-1]).sum(dim=1)]


def grid(n_qubits: int, n_features: int, low: float, high: float) -> np.ndarray:
    """The value of every feature at every basis state, 2^n_qubits x n_features."""
    states, columns, used = np.arange(2**n_qubits), [], 0
    for feature in range(n_features):
        bits = n_qubits // n_features + (feature < n_qubits % n_features)
        used += bits
        level = (states >> (n_qubits - used)) % 2**bits
        columns.append(low + (high - low) * level / (2**bits - 1))
    return np.stack(columns, axis=1)

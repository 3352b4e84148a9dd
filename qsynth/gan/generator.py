"""What the training needs of a generator, whatever its kind."""

import math
from typing import ClassVar, NamedTuple, Protocol

from torch import Tensor

from qsynth.circuits.readout import PauliWords
from qsynth.config import Config
from qsynth.errors import StudyError
from qsynth.networks.parameters import ParameterLayout
from qsynth.space.controls import Controls


class GeneratorOptions(Config):
    """What a trial asks of a kind of generator before it is built; unless it says otherwise, the kind has no circuit.

    Attributes:
        n_passes: how often training makes rows of a batch.
        lists_rows: whether losses average over the whole distribution, not over drawn rows.
    """

    n_passes: ClassVar[int] = 1
    lists_rows: ClassVar[bool] = False

    @property
    def uses(self) -> frozenset[str]:
        """The hyperparameters that it has."""
        return frozenset({"latent_dim"})

    def readout(self, readout: str | PauliWords) -> str | PauliWords:
        """What its circuit measures where the trial says ``readout``.

        Raises:
            QsynthError: it does not measure that.
        """
        return readout

    def most_features(self, n_qubits: int, n_outputs: int) -> float:
        """How many features it makes at most, of a circuit with ``n_outputs``."""
        return math.inf

    def outputs_used(self, n_features: int, n_outputs: int) -> int:
        """How many of a circuit's outputs make ``n_features``."""
        return min(n_features, n_outputs)

    def circuit_rows(self, n_rows: int, n_classes: int) -> int:
        """Inputs of circuits that ``n_rows`` rows take."""
        return 0

    def loss_rows(self, batch_size: int, n_qubits: int, n_classes: int) -> int:
        """Over how many rows losses average."""
        return n_classes * 2**n_qubits if self.lists_rows else batch_size


class Rows(NamedTuple):
    """Rows that stand for a distribution in a loss: m x d, m x classes, and weights (m) that sum to 1."""

    x: Tensor
    onehot: Tensor
    weights: Tensor


class EnumeratedRows(NamedTuple):
    """A distribution in full: all rows that can come up (m x d), their classes (m x classes), and how probable each is
    in its class (m)."""

    x: Tensor
    onehot: Tensor
    probability: Tensor


class GeneratedRows(NamedTuple):
    """What a generator makes for training.

    Attributes:
        drawn: batch x d, one row for each label asked for.
        listed: the distribution that they come from, where it can be listed; else empty.
    """

    drawn: Tensor
    listed: EnumeratedRows | tuple[()] = ()

    def rows(self, onehot: Tensor, weights: Tensor) -> Rows:
        """What losses average over, for labels (batch x classes) with weights (batch): the whole distribution with the
        labels' shares, or else the drawn rows."""
        if not self.listed:
            return Rows(self.drawn, onehot, weights)
        x, labels, probability = self.listed
        return Rows(x, labels, probability * (labels @ (weights @ onehot)))


class Generator(Protocol):
    """Pure functions of one trial, conditional on class labels.

    Attributes:
        layout: of its parameters.
        n_features: d.
        n_noise: standard normal numbers that a row takes.
        row_size: numbers that hidden layers make of a row in training.
        refresh_size: numbers that :meth:`refreshed` makes of a training row.
    """

    layout: ParameterLayout
    n_features: int
    n_noise: int
    row_size: int = 0
    refresh_size: int = 0

    def initial(self, seed: Tensor, stream: int) -> Tensor:
        """Starting parameters of one trial."""
        ...

    def sample(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """Rows of one trial.

        Args:
            flat: the generator's parameters.
            noise: batch x n_noise, standard normal.
            onehot: batch x n_classes, the labels to generate.

        Returns:
            batch x n_features.
        """
        ...

    def make(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> GeneratedRows:
        """The same for training; what losses average over is differentiable in the parameters."""
        return GeneratedRows(self.sample(flat, noise, onehot, controls))

    def regularised(self, loss: Tensor, flat: Tensor, noise: Tensor, real: Rows, controls: Controls) -> Tensor:
        """The adversarial loss, with whatever else this kind minimises on real rows (one for each row of ``noise``)."""
        return loss

    def refreshed(self, flat: Tensor, x: Tensor, onehot: Tensor, controls: Controls) -> Tensor:
        """``flat`` with those numbers brought up to date that no gradient moves, as they follow from the others and the
        training rows; most kinds have none.

        Args:
            x: all training rows, capacity x n_features.
            onehot: capacity x n_classes, 0 in rows that do not count.
        """
        return flat

    def angles(self, flat: Tensor, noise: Tensor, onehot: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """A circuit's inputs (batch x inputs) and weights (layers x ...); arguments as of :meth:`sample`.

        Raises:
            QsynthError: this kind has no circuit.
        """
        raise StudyError(f"{type(self).__name__} must have a circuit to be looked at")

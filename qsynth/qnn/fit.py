"""Fitting the QNN for many trials at once, from several starts that all trials share."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor
from torch.func import grad, vmap

from qsynth.circuits import engine as engines
from qsynth.circuits.circuit import Circuit
from qsynth.config import Config
from qsynth.execution.compilation import Build, eager
from qsynth.networks.adam import AdamState, adam
from qsynth.qnn.model import QuantumClassifier, QuantumModel, QuantumRegressor


class QNNConfig(Config):
    """The model that the synthetic data is for, and how it is fitted.

    Attributes:
        encoder: how features enter the circuit; left out: as the ansatz's own encoder has it.
    """

    ansatz: str = "strongly_entangling"
    encoder: str | None = None
    n_layers: int = Field(2, ge=1, le=32)
    n_starts: int = Field(2, ge=1, le=64)
    n_steps: int = Field(30, ge=1, le=10_000)
    lr: float = Field(0.1, gt=0, le=1)


class Evaluation(NamedTuple):
    """Mean over the starts, for each trial: the loss, and the model's accuracy."""

    loss: Tensor
    accuracy: Tensor


class QNNFit:
    """Fits ``n_starts`` models a trial by full-batch Adam on their weighted loss.

    The starts come from fixed seeds, the same for every trial and moment (common random numbers), so that differences
    between two fits are differences between their data.

    Args:
        build: makes a program of a fit's step, for any number of trials.
    """

    def __init__(self, model: QuantumModel, config: QNNConfig, build: Build = eager) -> None:
        self.model, self.config = model, config
        self._starts = vmap(lambda seed: model.initial(seed, 0))(torch.arange(config.n_starts))

        def step(flat: Tensor, state: AdamState, x: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, AdamState]:
            gradient = grad(model.loss)(flat, x, target, weight)
            one = torch.ones((), dtype=flat.dtype)
            return adam(flat, gradient, state, config.lr * one, 0.9 * one, one)

        self._step = build(
            f"{model.name}_step-{model.circuit.fingerprint[:16]}", vmap(vmap(step, in_dims=(0, 0, None, None, None)))
        )

    @classmethod
    def of(cls, config: QNNConfig, n_qubits: int, n_features: int, n_classes: int, build: Build = eager) -> "QNNFit":
        """Of a classifier on the statevector engine."""
        return cls(QuantumClassifier(_circuit(config, n_qubits), n_features, n_classes), config, build)

    @classmethod
    def of_regressor(cls, config: QNNConfig, n_qubits: int, n_features: int, build: Build = eager) -> "QNNFit":
        """Of a regressor of one number on the statevector engine."""
        return cls(QuantumRegressor(_circuit(config, n_qubits), n_features, 1), config, build)

    def fit(self, x: Tensor, target: Tensor, weight: Tensor, n_steps: Tensor | None = None) -> Tensor:
        """Parameters, trials x starts x parameters.

        Args:
            x: trials x rows x n_features.
            target: trials x rows x outputs; a classifier's are shares of the classes.
            weight: trials x rows, of each row in the loss; sums to 1 for each trial.
            n_steps: trials, how many steps to take; left out: all.
        """
        fitted = self._starts.expand(x.shape[0], -1, -1)
        for step, flat in enumerate(self.path(x, target, weight), start=1):
            fitted = flat if n_steps is None else torch.where((n_steps >= step)[:, None, None], flat, fitted)
        return fitted

    def best_step(self, x: Tensor, target: Tensor) -> Tensor:
        """After how many steps a fit on one half of the rows predicts the other half best, for each trial.

        Every other row is in the same half; rows weigh as in evaluations.
        """
        first = (torch.arange(x.shape[1]) % 2 == 0).to(x.dtype)
        halves = [first, 1 - first]
        paths = [self.path(x, target, self.model.weights(target, half)) for half in halves]
        losses = [
            sum(self._evaluated(flat, x, target, other).loss for flat, other in zip(flats, halves[::-1], strict=True))
            for flats in zip(*paths, strict=True)
        ]
        return torch.stack([torch.as_tensor(loss) for loss in losses]).argmin(dim=0) + 1

    def path(self, x: Tensor, target: Tensor, weight: Tensor) -> Iterator[Tensor]:
        """Parameters after every step."""
        flat = self._starts.expand(x.shape[0], -1, -1).contiguous()
        state, weight = AdamState.zeros(*flat.shape), weight.contiguous()
        for _ in range(self.config.n_steps):
            flat, state = self._step(flat, state, x, target, weight)
            yield flat

    def evaluate(self, flat: Tensor, x: Tensor, target: Tensor) -> Evaluation:
        """Loss and accuracy of fitted models on rows (trials x rows x ...), the classes weighted equally."""
        return self._evaluated(flat, x, target, torch.ones(x.shape[1], dtype=x.dtype))

    def _evaluated(self, flat: Tensor, x: Tensor, target: Tensor, used: Tensor) -> Evaluation:
        """The same on some of the rows: those of which ``used`` (rows) is 1."""

        def one(parameters: Tensor, rows: Tensor, wanted: Tensor, weight: Tensor) -> Evaluation:
            outputs = self.model.outputs(parameters, rows)
            loss = (weight * self.model.losses(outputs, wanted)).sum()
            return Evaluation(loss, self.model.accuracy(outputs, wanted, weight))

        starts = vmap(one, in_dims=(0, None, None, None))
        loss, accuracy = vmap(starts)(flat, x, target, self.model.weights(target, used))
        return Evaluation(loss.mean(dim=1), accuracy.mean(dim=1))


def _circuit(config: QNNConfig, n_qubits: int) -> Circuit:
    engine = engines.EngineConfig()
    return engines.build(engine, config.ansatz, n_qubits, config.n_layers, encoder=config.encoder)

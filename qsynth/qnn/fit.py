"""Fitting the QNN for many trials at once, from several starts that all trials share."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor
from torch.func import grad, vmap

from qsynth.circuits import engine as engines
from qsynth.config import Config
from qsynth.execution.compilation import Build, eager
from qsynth.networks.adam import AdamState, adam
from qsynth.qnn.model import QuantumClassifier


class QNNConfig(Config):
    """The classifier that the synthetic data is for, and how it is fitted.

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
    """Mean over the starts, for each trial: cross-entropy in nats, accuracy in [0, 1]."""

    loss: Tensor
    accuracy: Tensor


def balanced(onehot: Tensor) -> Tensor:
    """Weights that sum to 1, trials x rows, in which every class that there is has the same; rows without a label 0."""
    shares = onehot.sum(dim=1, keepdim=True)
    weight = (onehot / shares.clamp(min=1)).sum(dim=2)
    return weight / weight.sum(dim=1, keepdim=True)


class QNNFit:
    """Fits ``n_starts`` classifiers a trial by full-batch Adam on weighted cross-entropy.

    The starts come from fixed seeds, the same for every trial and moment (common random numbers), so that differences
    between two fits are differences between their data.

    Args:
        build: makes a program of a fit's step, for any number of trials.
    """

    def __init__(self, model: QuantumClassifier, config: QNNConfig, build: Build = eager) -> None:
        self.model, self.config = model, config
        self._starts = vmap(lambda seed: model.initial(seed, 0))(torch.arange(config.n_starts))

        def step(flat: Tensor, state: AdamState, x: Tensor, onehot: Tensor, weight: Tensor) -> tuple[Tensor, AdamState]:
            gradient = grad(lambda p: (weight * self._cross_entropy(p, x, onehot)).sum())(flat)
            one = torch.ones((), dtype=flat.dtype)
            return adam(flat, gradient, state, config.lr * one, 0.9 * one, one)

        self._step = build(
            f"qnn_step-{model.circuit.fingerprint[:16]}", vmap(vmap(step, in_dims=(0, 0, None, None, None)))
        )

    @classmethod
    def of(cls, config: QNNConfig, n_qubits: int, n_features: int, n_classes: int, build: Build = eager) -> "QNNFit":
        """Of a classifier on the statevector engine."""
        engine = engines.EngineConfig()
        circuit = engines.build(engine, config.ansatz, n_qubits, config.n_layers, encoder=config.encoder)
        return cls(QuantumClassifier(circuit, n_features, n_classes), config, build)

    def fit(self, x: Tensor, onehot: Tensor, weight: Tensor, n_steps: Tensor | None = None) -> Tensor:
        """Parameters, trials x starts x parameters.

        Args:
            x: trials x rows x n_features.
            onehot: trials x rows x n_classes.
            weight: trials x rows, of each row in the loss; sums to 1 for each trial.
            n_steps: trials, how many steps to take; left out: all.
        """
        fitted = self._starts.expand(x.shape[0], -1, -1)
        for step, flat in enumerate(self.path(x, onehot, weight), start=1):
            fitted = flat if n_steps is None else torch.where((n_steps >= step)[:, None, None], flat, fitted)
        return fitted

    def best_step(self, x: Tensor, onehot: Tensor) -> Tensor:
        """After how many steps a fit on one half of the rows predicts the other half best, for each trial.

        Every other row is in the same half; all classes weigh the same.
        """
        first = (torch.arange(x.shape[1]) % 2 == 0).to(x.dtype)[:, None]
        halves = [onehot * first, onehot * (1 - first)]
        paths = [self.path(x, half, balanced(half)) for half in halves]
        losses = [
            sum(self.evaluate(flat, x, other).loss for flat, other in zip(flats, reversed(halves), strict=True))
            for flats in zip(*paths, strict=True)
        ]
        return torch.stack([torch.as_tensor(loss) for loss in losses]).argmin(dim=0) + 1

    def path(self, x: Tensor, onehot: Tensor, weight: Tensor) -> Iterator[Tensor]:
        """Parameters after every step."""
        flat = self._starts.expand(x.shape[0], -1, -1).contiguous()
        state, weight = AdamState.zeros(*flat.shape), weight.contiguous()
        for _ in range(self.config.n_steps):
            flat, state = self._step(flat, state, x, onehot, weight)
            yield flat

    def evaluate(self, flat: Tensor, x: Tensor, onehot: Tensor) -> Evaluation:
        """Loss and accuracy of fitted classifiers on rows (trials x rows x ...), the classes weighted equally."""
        weight = balanced(onehot)

        def one(parameters: Tensor, rows: Tensor, labels: Tensor, w: Tensor) -> Evaluation:
            logits = self.model.logits(parameters, rows)
            correct = (logits.argmax(dim=1) == labels.argmax(dim=1)).to(w.dtype)
            return Evaluation((w * self._cross_entropy(parameters, rows, labels)).sum(), (w * correct).sum())

        starts = vmap(one, in_dims=(0, None, None, None))
        loss, accuracy = vmap(starts)(flat, x, onehot, weight)
        return Evaluation(loss.mean(dim=1), accuracy.mean(dim=1))

    def _cross_entropy(self, flat: Tensor, x: Tensor, onehot: Tensor) -> Tensor:
        return -(onehot * torch.log_softmax(self.model.logits(flat, x), dim=1)).sum(dim=1)

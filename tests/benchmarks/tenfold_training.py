"""Training QNNs on few or many rows a step, all settings of an optimiser, tasks and starts as lanes of one program."""

import functools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import grad, vmap

from qsynth.data.dataset import Split
from qsynth.data.quantum.source import QuantumData
from qsynth.data.tabular import TableData
from qsynth.execution.compilation import Build
from qsynth.experiment.training_set import onehot
from qsynth.networks.adam import AdamState, adam
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.qnn.model import QuantumModel, balanced
from qsynth.synthesis.soft_labels import equal_classes

# Of the rivals' optimisers: Adam's (beta1 0.9) and gradient descent's.
SETTINGS = (("adam", 0.05), ("adam", 0.1), ("adam", 0.2), ("adam", 0.4), ("sgd", 0.1), ("sgd", 0.3))
MOST_TEST, N_LOOKS, WIDEST = 200, 30, 16
N_QUBITS = 4

Floats = NDArray[np.float64]
# The rows of a step (lanes x rows x ...), their targets and weights.
Batch = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """Splits of one table: rows to train on and to test on, tasks x rows x ...; ``parts`` are the former as splits."""

    name: str
    x: Tensor
    target: Tensor
    x_test: Tensor
    target_test: Tensor
    parts: list[Split]

    @property
    def n_classes(self) -> int:
        return int(self.target.shape[2])


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Balanced accuracy on test rows, mean over starts, after ``rows`` rows had their gradients computed.

    Attributes:
        accuracy: tasks x looks.
    """

    arm: str
    setting: str
    rows: list[int]
    accuracy: list[list[float]]

    def json(self) -> dict[str, Any]:
        """For a result file."""
        return asdict(self) | {"accuracy": np.round(self.accuracy, 4).tolist()}


def drawn_tasks(name: str, seeds: range, n_train: int) -> Tasks:
    """The splits of these seeds; ``xxz`` has 20 shots a measurement."""
    sizes: dict[str, Any] = {"n_features": N_QUBITS, "n_train": n_train, "validation_share": 0.05, "test_share": 0.3}
    source = QuantumData(name=name, shots=20, **sizes) if name == "xxz" else TableData(name=name, **sizes)
    instances = [source.instance(seed, held_out=True) for seed in seeds]
    parts, tests = [each.train for each in instances], [each.test for each in instances]
    n_classes = instances[0].n_classes

    def stacked(splits: list[Split]) -> tuple[Tensor, Tensor]:
        x = np.stack([split.x[:MOST_TEST] for split in splits])
        y = np.stack([onehot(split.y[:MOST_TEST], n_classes) for split in splits])
        return torch.as_tensor(x), torch.as_tensor(y)

    (x, target), (x_test, target_test) = stacked(parts), stacked(tests)
    return Tasks(name=name, x=x, target=target, x_test=x_test, target_test=target_test, parts=parts)


def model_of(ansatz: str, n_layers: int, tasks: Tasks) -> QuantumModel:
    """A classifier of the tasks' rows."""
    config = QNNConfig(ansatz=ansatz, n_layers=n_layers)
    return QNNFit.of(config, N_QUBITS, tasks.x.shape[2], tasks.n_classes).model


def unseen(model: QuantumModel, n_starts: int) -> Tensor:
    """Starts that no distillation has had, starts x parameters."""
    return vmap(lambda seed: model.initial(seed, 0))(torch.arange(n_starts))


def accuracies(model: QuantumModel, tasks: Tasks, flat: Tensor) -> Tensor:
    """Of parameters tasks x starts x parameters, tasks x starts."""

    def one(parameters: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return model.accuracy(model.outputs(parameters, x), target, weight)

    with torch.no_grad():
        weight = balanced(tasks.target_test)
        starts = vmap(one, in_dims=(0, None, None, None))
        return vmap(starts)(flat, tasks.x_test, tasks.target_test, weight)


class Trainer:
    """Trains from unseen starts with every setting of the optimisers."""

    def __init__(self, model: QuantumModel, tasks: Tasks, n_starts: int, build: Build) -> None:
        self.model, self.tasks = model, tasks
        self._starts = unseen(model, n_starts)
        self._shape = len(SETTINGS), len(tasks.x), n_starts
        self.n_lanes = int(np.prod(self._shape))
        self._rates = self._of_settings(torch.tensor([rate for _, rate in SETTINGS]))
        self._adam = self._of_settings(torch.tensor([float(kind == "adam") for kind, _ in SETTINGS]))
        self._step = build(f"descent-{model.circuit.fingerprint[:16]}", vmap(functools.partial(descended, model)))

    def curves(self, arm: str, batches: Iterator[Batch], n_rows: int, n_steps: int) -> list[Curve]:
        """Train for so many steps on batches of lanes, of which each costs ``n_rows``; a curve for each setting."""
        flat = self._starts.expand(*self._shape, -1).flatten(0, 2).contiguous()
        state = AdamState.zeros(*flat.shape)
        looks = sorted({round(n_steps ** (at / N_LOOKS)) for at in range(N_LOOKS + 1)})
        seen = []
        for step in range(1, n_steps + 1):
            flat, state = self._step(flat, state, *next(batches), self._rates, self._adam)
            if step in looks:
                of_settings = flat.unflatten(0, self._shape)
                seen.append(torch.stack([accuracies(self.model, self.tasks, each).mean(dim=1) for each in of_settings]))
        found = torch.stack(seen, dim=2).double().numpy()
        names = [f"{kind} {rate}" for kind, rate in SETTINGS]
        rows = [n_rows * look for look in looks]
        return [
            Curve(arm=arm, setting=name, rows=rows, accuracy=each.tolist())
            for name, each in zip(names, found, strict=True)
        ]

    def full(self, parts: list[Split]) -> Iterator[Batch]:
        """All rows of each task in every step, classes with equal weight; few rows are padded with rows of none."""
        width = max(WIDEST, *(len(part) for part in parts))
        x, target, weight = (
            torch.as_tensor(np.stack(each))
            for each in zip(*(_padded(part, self.tasks.n_classes, width) for part in parts), strict=True)
        )
        batch = self._of_tasks(x), self._of_tasks(target), self._of_tasks(weight)
        while True:
            yield batch

    def minibatches(self, n_rows: int, seed: int) -> Iterator[Batch]:
        """As many rows, drawn anew for each lane and step, classes alike."""
        random = torch.Generator().manual_seed(seed)
        shares, task = self._of_tasks(balanced(self.tasks.target)), self._of_tasks(torch.arange(len(self.tasks.x)))
        weight = (torch.arange(WIDEST) < n_rows).float().expand(self.n_lanes, -1).contiguous() / n_rows
        while True:
            rows = torch.multinomial(shares, WIDEST, replacement=True, generator=random)
            yield self.tasks.x[task[:, None], rows], self.tasks.target[task[:, None], rows], weight

    def _of_tasks(self, values: Tensor) -> Tensor:
        """Values of tasks, at each lane."""
        kinds, _, starts = self._shape
        return values[None, :, None].expand(kinds, -1, starts, *values.shape[1:]).flatten(0, 2).contiguous()

    def _of_settings(self, values: Tensor) -> Tensor:
        return values[:, None, None].expand(self._shape).flatten().contiguous()


def descended(
    model: QuantumModel,
    flat: Tensor,
    state: AdamState,
    x: Tensor,
    target: Tensor,
    weight: Tensor,
    rate: Tensor,
    by_adam: Tensor,
) -> tuple[Tensor, AdamState]:
    """One lane's step, by Adam or down the gradient."""
    gradient = grad(model.loss)(flat, x, target, weight)
    one = torch.ones_like(rate)
    moved, state = adam(flat, gradient, state, rate, 0.9 * one, one)
    return torch.where(by_adam > 0, moved, flat - rate * gradient), state


def _padded(part: Split, n_classes: int, width: int) -> tuple[Any, Any, Any]:
    target, missing = onehot(part.y, n_classes), width - len(part)
    weight = np.pad(equal_classes(target), (0, missing))
    return np.pad(part.x, ((0, missing), (0, 0))), np.pad(target, ((0, missing), (0, 0))), weight

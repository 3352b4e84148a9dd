"""Many QNN fits as lanes of one program, and how each does on test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vmap

from qsynth.data.dataset import Split
from qsynth.experiment.training_set import TrainingSet
from qsynth.qnn.fit import QNNFit

MOST_LANES = 100
LOOKS = 20  # at the path of a fit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """How one fit does on its test rows; means over the QNN's starts.

    Attributes:
        correct: ``n``, share of the starts that put a test row into its class.
        cross_entropy: in nats, every class with the same weight.
        path: balanced accuracy after each of the steps at which one looks (``n_looks``).
    """

    correct: Floats
    cross_entropy: float
    path: Floats


def looks(n_steps: int) -> NDArray[np.int64]:
    """The steps after which fits are looked at, the last among them."""
    return np.unique(np.linspace(1, n_steps, LOOKS).round().astype(np.int64))


def outcomes(qnn: QNNFit, sets: Sequence[TrainingSet], tests: Sequence[Split]) -> list[Outcome]:
    """Fit each set and test it on its rows; sets with as many rows as each other share a program."""
    found: list[Outcome | None] = [None] * len(sets)
    sizes: dict[tuple[int, int], list[int]] = {}
    for index, (each, test) in enumerate(zip(sets, tests, strict=True)):
        sizes.setdefault((len(each.x), len(test)), []).append(index)
    for members in sizes.values():
        for start in range(0, len(members), MOST_LANES):
            lanes = members[start : start + MOST_LANES]
            done = _together(qnn, [sets[lane] for lane in lanes], [tests[lane] for lane in lanes])
            for lane, outcome in zip(lanes, done, strict=True):
                found[lane] = outcome
    return [outcome for outcome in found if outcome is not None]


def _together(qnn: QNNFit, sets: Sequence[TrainingSet], tests: Sequence[Split]) -> list[Outcome]:
    x, targets, weight = (
        torch.as_tensor(np.stack([getattr(each, name) for each in sets])) for name in ("x", "targets", "weight")
    )
    n_steps = torch.full((len(sets),), qnn.config.n_steps)
    early = torch.tensor([each.stops_early for each in sets])
    if early.any():
        n_steps[early] = qnn.best_step(x[early], targets[early])
    x_test = torch.as_tensor(np.stack([test.x for test in tests]))
    y_test = torch.as_tensor(np.stack([test.y for test in tests]))
    at, path, fitted = set(looks(qnn.config.n_steps).tolist()), [], None
    for step, flat in enumerate(qnn.path(x, targets, weight), start=1):
        fitted = flat if fitted is None else torch.where((n_steps >= step)[:, None, None], flat, fitted)
        if step in at:
            path.append(_balanced(_correct(logits_of(qnn, fitted, x_test), y_test), y_test))
    assert fitted is not None  # a fit has at least one step
    logits = logits_of(qnn, fitted, x_test)
    losses = -torch.log_softmax(logits, dim=3).gather(3, y_test[:, None, :, None].expand(*logits.shape[:3], 1))[..., 0]
    correct, loss = _correct(logits, y_test), _balanced(losses.mean(dim=1), y_test)
    return [
        Outcome(
            correct=correct[lane].double().numpy(),
            cross_entropy=float(loss[lane]),
            path=np.array([float(look[lane]) for look in path]),
        )
        for lane in range(len(sets))
    ]


@torch.no_grad()
def logits_of(qnn: QNNFit, flat: Tensor, x: Tensor) -> Tensor:
    """Lanes x starts x rows x classes, of rows x (lanes x rows x d)."""
    return vmap(vmap(qnn.model.outputs, in_dims=(0, None)))(flat, x)


def _correct(logits: Tensor, y: Tensor) -> Tensor:
    """Lanes x rows, share of the starts that are right."""
    return (logits.argmax(dim=3) == y[:, None]).float().mean(dim=1)


def _balanced(values: Tensor, y: Tensor) -> Tensor:
    """Mean over classes of the mean over their rows, lanes."""
    member = torch.nn.functional.one_hot(y).to(values.dtype)
    return ((values[..., None] * member).sum(dim=1) / member.sum(dim=1).clamp(min=1)).mean(dim=1)

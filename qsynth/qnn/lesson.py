"""What rows are worth to a QNN, in a form that has a gradient: a few steps of learning them, unrolled."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad

from qsynth.circuits.circuit import Circuit
from qsynth.networks.adam import EPSILON
from qsynth.qnn.model import QuantumModel

N_STEPS = 5
LR = 0.3
STREAM = 40
STARTS_APART = 1_000_003  # seeds of one trial's iterations


class LearnedRows(NamedTuple):
    """Rows (m x d), their targets (m x outputs), and weights (m) of sum 1."""

    x: Tensor
    target: Tensor
    weight: Tensor


class Lesson:
    """Loss on real rows of a QNN after ``N_STEPS`` steps on others; its gradient goes through the steps.

    As in generative teaching networks [Such et al. 2020, arXiv 1912.07768] and dataset distillation [Wang et al. 2018,
    arXiv 1811.10959]. The QNN starts anew for every iteration of a trial, so rows are worth something to any start. A
    step is ``LR`` times the gradient over its norm.
    """

    def __init__(self, model: QuantumModel) -> None:
        self._model = model

    @property
    def circuit(self) -> Circuit:
        """The QNN's."""
        return self._model.circuit

    def __call__(
        self,
        made: tuple[Tensor, ...],
        real: tuple[Tensor, ...],
        seed: Tensor,
        iteration: Tensor,
    ) -> Tensor:
        """The loss, a scalar.

        Args:
            made: what the QNN learns, as :class:`LearnedRows`.
            real: what it is tested on.
            seed: of the trial, int64 scalar; with ``iteration``, another int64 scalar, it says where the QNN starts.
        """
        learned, tested = LearnedRows(*made), LearnedRows(*real)
        flat = self._model.initial(seed + STARTS_APART * (iteration + 1), STREAM).to(learned.x.dtype)
        for _ in range(N_STEPS):
            gradient = grad(self._model.loss)(flat, *learned)
            flat = flat - LR * gradient / torch.sqrt(torch.square(gradient).sum() + EPSILON)
        return self._model.loss(flat, *tested)

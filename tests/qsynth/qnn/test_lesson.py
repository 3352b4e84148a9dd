"""Rows that are worth something to a QNN teach it; others do not."""

import pytest
import torch
from torch import Tensor

from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.qnn.lesson import Lesson

MODEL = QNNFit.of(QNNConfig(), 2, 2, 2).model
LESSON = Lesson(MODEL)
SEED, NUMBERS = torch.tensor(3), [torch.tensor(number) for number in range(20)]


def blobs(n: int, seed: int, apart: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = 0.15 * torch.randn(n, 2, generator=random) + apart * (y[:, None] - 0.5)
    return x, torch.eye(2)[y], torch.full((n,), 1 / n)


def taught(made: tuple[Tensor, Tensor, Tensor]) -> float:
    """Mean over many starts."""
    real = blobs(40, 1)
    return float(torch.stack([LESSON(made, real, SEED, number) for number in NUMBERS]).mean())


def test_rows_like_the_real_ones_teach_more_than_mislabelled_ones() -> None:
    x, onehot, weight = blobs(20, 2)
    good, none, wrong = taught((x, onehot, weight)), taught((0 * x, onehot, weight)), taught((x, 1 - onehot, weight))
    assert good < none < wrong


def test_following_the_gradient_makes_rows_that_teach() -> None:
    _, onehot, weight = blobs(8, 3)
    real, x = blobs(40, 1), torch.zeros(8, 2)
    before = taught((x, onehot, weight))

    def value(rows: Tensor, number: Tensor) -> Tensor:
        return LESSON((rows, onehot, weight), real, SEED, number)

    for step in range(60):
        gradient = torch.func.grad(value)(x, NUMBERS[step % 20])
        x = x - 0.3 * gradient / gradient.norm()
    assert taught((x, onehot, weight)) < before - 0.1


def test_the_gradient_goes_through_the_steps() -> None:
    """It is that of finite differences, which a gradient of the last step alone would not be."""
    x, onehot, weight = blobs(4, 4)
    real = blobs(6, 5)

    def value(rows: Tensor) -> Tensor:
        return LESSON((rows, onehot, weight), real, SEED, NUMBERS[0])

    gradient = torch.func.grad(value)(x)
    step = 0.005 * gradient / gradient.norm()
    assert float(gradient.norm()) == pytest.approx(float((value(x + step) - value(x - step)) / 0.01), rel=0.02)


def test_every_iteration_has_another_start_and_each_is_always_the_same() -> None:
    made, real = blobs(8, 6), blobs(8, 7)
    values = [float(LESSON(made, real, SEED, number)) for number in NUMBERS]
    assert len(set(values)) == len(values)
    assert values == [float(LESSON(made, real, SEED, number)) for number in NUMBERS]

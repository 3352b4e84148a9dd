"""Distilled rows, their rivals, and what training costs in circuits."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.noise import NoiseConfig
from qsynth.circuits.options import DeviceOptions
from qsynth.data.dataset import Split
from qsynth.experiment.distilled.circuit_budget import row_cost
from qsynth.experiment.distilled.coreset import CHOICES, class_means, coreset
from qsynth.experiment.distilled.distillation import DistillationConfig, Distiller, learn_on
from qsynth.experiment.distilled.student import Lesson, Student, n_groups, pulled, taught
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.qnn.model import QuantumClassifier, QuantumModel, balanced
from tests.benchmarks import tenfold_report
from tests.benchmarks.noisy_qnn import NoisyQNN


def model() -> QuantumModel:
    return QNNFit.of(QNNConfig(n_layers=1), 2, 2, 2).model


def xor(seed: int, n: int = 40) -> tuple[Tensor, Tensor]:
    """Two classes on the corners of a square, opposite ones alike."""
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(2, (n, 2), generator=random).float() - 0.5
    labels = (x[:, 0] * x[:, 1] > 0).long()
    return x + 0.08 * torch.randn(n, 2, generator=random), torch.eye(2)[labels]


def tasks(n: int = 40) -> tuple[Tensor, Tensor]:
    pairs = [xor(seed, n) for seed in (0, 1)]
    return torch.stack([x for x, _ in pairs]), torch.stack([target for _, target in pairs])


@functools.cache
def distilled(config: DistillationConfig) -> Lesson:
    """For QNNs of two layers, of both tasks."""
    lessons = Distiller(QNNFit.of(QNNConfig(n_layers=2), 2, 2, 2).model, config).distil(*tasks(), seed=0)
    return Lesson(*(part.detach() for part in lessons))


def loss_of(qnn: QuantumModel, flat: Tensor, x: Tensor, target: Tensor) -> Tensor:
    """Mean over the starts, for each task."""
    of_starts = vmap(vmap(qnn.loss, in_dims=(0, None, None, None)))(flat, x, target, balanced(target))
    return of_starts.mean(dim=1)


def loss_after(config: DistillationConfig) -> Tensor:
    """On all real rows, for each task, of QNNs with unseen starts."""
    qnn = QNNFit.of(QNNConfig(n_layers=2), 2, 2, 2).model
    starts = vmap(lambda seed: qnn.initial(seed, 0))(torch.arange(16))
    return loss_of(qnn, learn_on(qnn, distilled(config), starts)[-1], *tasks())


SMALL = DistillationConfig(n_steps=4, n_rows=2, n_iterations=30, n_starts=6, n_looks=1)


def test_unseen_starts_learn_from_distilled_rows() -> None:
    """More than from the real rows that they were at first, and than from those with learned step sizes."""
    undistilled, fixed = (
        loss_after(SMALL.replaced(**setting)) for setting in ({"n_iterations": 0}, {"learns_rows": False})
    )
    found = loss_after(SMALL)
    assert (found < undistilled - 0.1).all()
    assert (found < fixed - 0.03).all()


def test_other_ansaetze_take_the_rows() -> None:
    x, target = tasks()
    other = QNNFit.of(QNNConfig(ansatz="hardware_efficient", n_layers=3), 2, 2, 2).model
    starts = vmap(lambda seed: other.initial(seed, 0))(torch.arange(16))
    path = learn_on(other, distilled(SMALL), starts)
    assert len(path) == SMALL.n_steps
    losses = [loss_of(other, flat, x, target) for flat in (starts.expand(2, -1, -1), path[-1])]
    assert (losses[1] < losses[0] - 0.2).all()


def test_the_same_seed_distils_the_same_rows_and_real_ones_stay_real() -> None:
    x, target = tasks()
    distiller = Distiller(model(), SMALL.replaced(n_iterations=2, n_starts=2))
    one, again = (distiller.distil(x, target, seed=3) for _ in range(2))
    assert all(torch.equal(*parts) for parts in zip(one, again, strict=True))
    assert not torch.equal(one.x, distiller.distil(x, target, seed=4).x)
    fixed = Distiller(model(), SMALL.replaced(n_iterations=2, n_starts=2, learns_rows=False)).distil(x, target, seed=3)
    assert all((x[0] == row).all(dim=1).any() for row in fixed.x[0].flatten(0, 1))
    assert (fixed.logits.argmax(dim=3).sum(dim=2) == 1).all()  # a row of each class in every step
    assert not torch.equal(fixed.log_rate[:, 0], fixed.log_rate[:, 1])


def test_tasks_are_distilled_as_if_alone() -> None:
    x, target = tasks()
    changed = torch.cat([x[:1], -x[1:]]), torch.cat([target[:1], target[1:].flip(2)])
    distiller = Distiller(model(), SMALL.replaced(n_iterations=2, n_starts=2))
    both, other = distiller.distil(x, target, seed=0), distiller.distil(*changed, seed=0)
    for one, two in zip(both, other, strict=True):
        torch.testing.assert_close(one[0], two[0])
        assert not torch.allclose(one[1], two[1])


def test_pulls_are_the_gradients_of_unrolled_training() -> None:
    """By autograd through all steps; a parameter without effect, the last RZ, leaves them finite."""
    qnn = model()
    random = torch.Generator().manual_seed(0)
    lessons = Lesson(
        torch.randn(3, 2, 2, generator=random),
        torch.randn(3, 2, 2, generator=random),
        torch.full((3, n_groups(qnn)), -1.5),
    )
    x, target = xor(5, 10)
    weight = torch.full((10,), 0.1)

    def at(index: int) -> Lesson:
        return Lesson(*(part[index] for part in lessons))

    path = [Student.at(qnn.initial(torch.tensor(7), 0))]
    for index in range(3):
        path.append(taught(qnn, path[-1], at(index)))
    later = Student(torch.func.grad(qnn.loss)(path[-1].flat, x, target, weight), *map(torch.zeros_like, path[-1][1:]))
    found = []
    for index in (2, 1, 0):
        later, of_lesson = pulled(qnn, path[index], at(index), later)
        found.append(of_lesson)

    def unrolled(*parts: Tensor) -> Tensor:
        student = path[0]
        for index in range(3):
            student = taught(qnn, student, Lesson(*(part[index] for part in parts)))
        return qnn.loss(student.flat, x, target, weight)

    wanted = torch.func.grad(unrolled, argnums=(0, 1, 2))(*lessons)
    for mine, theirs in zip(zip(*found[::-1], strict=True), wanted, strict=True):
        assert theirs.isfinite().all()
        torch.testing.assert_close(torch.stack(mine), theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("ansatz", ["strongly_entangling", "data_reuploading"])
def test_a_row_costs_what_a_device_books(ansatz: str) -> None:
    options = DeviceOptions(differentiation="parameter-shift", shots=10)
    engine = PennyLaneEngine(ANSAETZE[ansatz], 2, 2, "default.qubit", options)
    qnn = QuantumClassifier(engine, 2, 2)
    flat = qnn.initial(torch.tensor(0), 0)
    torch.func.grad(qnn.loss)(flat, torch.ones(1, 2) / 3, torch.eye(2)[:1], torch.ones(1))
    assert engine.ledger.spent == row_cost(QNNConfig(ansatz=ansatz, n_layers=2), 2, shots=10)


def rows() -> Split:
    """Two clouds a class, of 12 and 4 rows, and one of 8."""
    random = np.random.default_rng(0)
    centres = np.repeat([[0.0, 0], [3, 0], [0, 5]], [12, 4, 8], axis=0)
    x = (centres + 0.1 * random.normal(size=centres.shape)).astype(np.float32)
    return Split(x, np.repeat([0, 0, 1], [12, 4, 8]))


@pytest.mark.parametrize("choice", CHOICES)
def test_coresets_are_real_rows_of_all_classes(choice: str) -> None:
    found = coreset(choice, rows(), 6, 0)
    assert np.bincount(found.y).tolist() == [3, 3]
    assert all((rows().x == row).all(axis=1).any() for row in found.x)
    assert len(np.unique(found.x, axis=0)) == 6
    assert len(coreset(choice, rows(), 21, 0)) == 11 + 8


def test_medoids_cover_the_clouds_and_herding_meets_the_mean() -> None:
    medoids = coreset("medoids", rows(), 4, 0)
    assert sorted(np.round(medoids.x[medoids.y == 0, 0])) == [0, 3]
    own = rows().x[rows().y == 0]
    off = {name: np.abs(coreset(name, rows(), 8, 0).x[:4].mean(axis=0) - own.mean(axis=0)).max() for name in CHOICES}
    assert off["herding"] == min(off.values()) < 0.05


def test_class_means() -> None:
    found = class_means(rows())
    np.testing.assert_allclose(found.x[1], rows().x[rows().y == 1].mean(axis=0), rtol=1e-5)
    assert found.y.tolist() == [0, 1]


def test_a_noisy_processor_is_default_mixed() -> None:
    """Values with errors, and gradients where there are none, of so many shots that these do not matter."""
    noise = NoiseConfig(one_qubit=0.01, two_qubit=0.03, readout=0.05)
    qnn = QNNFit.of(QNNConfig(n_layers=2), 3, 2, 2).model
    flat, x = qnn.initial(torch.tensor(3), 0), xor(0, 4)[0]
    device = PennyLaneEngine(ANSAETZE["strongly_entangling"], 3, 2, "default.mixed", DeviceOptions(noise=noise))
    there = QuantumClassifier(device, 2, 2).outputs(flat, x)
    many = 10**9
    found = NoisyQNN(qnn, noise, many, seed=0).outputs(flat[None], x[None])[0]
    torch.testing.assert_close(found, there, rtol=0, atol=1e-3)
    target, weight = torch.softmax(torch.arange(8.0).reshape(4, 2) % 3, dim=1), torch.full((4,), 0.25)
    asked = flat, x, target, weight
    found = NoisyQNN(qnn, NoiseConfig(), many, seed=0).gradient(*(part[None] for part in asked))[0]
    torch.testing.assert_close(found, torch.func.grad(qnn.loss)(*asked), rtol=0, atol=1e-3)


def test_few_shots_scatter() -> None:
    qnn = QNNFit.of(QNNConfig(n_layers=1), 2, 2, 2).model
    flat, x = qnn.initial(torch.tensor(3), 0), torch.zeros(400, 2)
    logits = NoisyQNN(qnn, NoiseConfig(), 100, seed=0).outputs(flat[None], x[None])[0]
    z = qnn.outputs(flat, x)[0] / 2
    torch.testing.assert_close(logits.std(dim=0), 2 * torch.sqrt((1 - z**2) / 100), rtol=0.15, atol=0)


def curve(arm: str, rows: list[int], *accuracy: list[float]) -> dict[str, Any]:
    """Of two splits."""
    return {"arm": arm, "setting": "adam 0.1", "rows": rows, "accuracy": [list(each) for each in accuracy]}


def test_circuits_to_a_target_are_counted() -> None:
    """Real rows are best at their second look, on average; rivals are interpolated, distilled rows are not."""
    curves = [
        curve("real rows", [100, 200, 300], [0.5, 0.9, 0.7], [0.5, 0.7, 0.8]),
        curve("real rows", [100, 200, 300], [0.6, 0.6, 0.6], [0.6, 0.6, 0.6]),
        curve("minibatch of 2", [10, 20], [0.79, 0.99], [0.69, 0.6]),
        curve("minibatch of 4", [10, 20], [0.1, 0.1], [0.1, 0.1]),
        curve("coreset: medoids, 16", [16, 32], [0.2, 0.3], [0.2, 0.3]),
        curve("distilled rows", [4, 8], [0.5, 0.89], [0.5, 0.9]),
    ]
    np.testing.assert_allclose(tenfold_report.targets(curves), [0.89, 0.69])
    found = tenfold_report.compared(curves)
    assert found["minibatch"].name == "minibatch of 2, adam 0.1"
    np.testing.assert_allclose(found["minibatch"].rows, [15, 10])
    np.testing.assert_allclose(found["distilled rows"].rows, [8, 8])
    np.testing.assert_allclose(found["real rows"].rows, [100 + 100 * 0.39 / 0.4, 100 + 100 * 0.19 / 0.2])
    assert np.isinf(found["coreset"].rows).all()
    np.testing.assert_allclose(tenfold_report.ratios(found), [found["real rows"].median / 8, 12.5 / 8])

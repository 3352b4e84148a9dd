"""Fitting the QNN."""

import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.qnn.model import QuantumClassifier, QuantumRegressor


def qnn(n_features: int = 2, n_classes: int = 2, n_qubits: int = 2, **settings: int) -> QNNFit:
    config = QNNConfig(**settings)
    engine = StatevectorEngine(ANSAETZE[config.ansatz], n_qubits, config.n_layers)
    return QNNFit(QuantumClassifier(engine, n_features, n_classes), config)


def blobs(seed: int, n: int = 40) -> tuple[Tensor, Tensor]:
    """Two classes around (-0.4, -0.4) and (0.4, 0.4)."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    x = 0.1 * torch.randn(n, 2, generator=random) + (0.8 * labels[:, None] - 0.4)
    return x, torch.eye(2)[labels]


def even(x: Tensor) -> Tensor:
    return torch.full(x.shape[:2], 1 / x.shape[1])


def test_separable_blobs_are_separated() -> None:
    x, onehot = (torch.stack(values) for values in zip(blobs(0), blobs(1), strict=True))
    fit = qnn()
    start = fit.evaluate(qnn(n_steps=1).fit(x, onehot, even(x)), x, onehot)
    found = fit.evaluate(fit.fit(x, onehot, even(x)), x, onehot)
    assert (found.accuracy > 0.85).all()
    assert (found.loss < start.loss).all()
    assert (found.loss < 0.5).all()


def test_the_same_data_gives_the_same_fit_in_every_lane_and_at_every_time() -> None:
    one, other = blobs(0), blobs(1)
    x, onehot = (torch.stack(values) for values in zip(one, other, one, strict=True))
    fit = qnn(n_steps=5)
    flat = fit.fit(x, onehot, even(x))
    assert torch.equal(flat[0], flat[2])
    assert not torch.equal(flat[0], flat[1])
    assert torch.equal(flat, fit.fit(x, onehot, even(x)))
    assert torch.equal(flat, qnn(n_steps=5).fit(x, onehot, even(x)))


def test_starts_differ() -> None:
    x, onehot = (value[None] for value in blobs(0))
    flat = qnn(n_steps=1, n_starts=3).fit(x, onehot, even(x))
    assert flat.shape[:2] == (1, 3)
    assert len({tuple(start) for start in flat[0].tolist()}) == 3


def test_rows_count_by_their_weight() -> None:
    """Rows of weight 0 are inert, and a row of double weight is two rows."""
    x, onehot = (value[None] for value in blobs(0, n=8))
    fit = qnn(n_steps=5)
    weight = torch.tensor([[2.0, 1, 1, 1, 1, 1, 1, 0]]) / 8
    twice = torch.cat([x[:, :1], x[:, :7]], dim=1), torch.cat([onehot[:, :1], onehot[:, :7]], dim=1)
    fits = fit.fit(x, onehot, weight), fit.fit(*twice, even(twice[0]))
    # Adam blows up rounding errors in angles that no output depends on, so it is the outputs that are compared.
    torch.testing.assert_close(*(fit.evaluate(flat, x, onehot).loss for flat in fits), rtol=1e-4, atol=1e-5)
    changed = x.clone()
    changed[:, 7] = 0.9
    assert torch.equal(fit.fit(changed, onehot, weight), fit.fit(x, onehot, weight))


def test_evaluation_weighs_the_classes_equally() -> None:
    """Three classes of 6, 3 and 0 rows: by hand, a class's mean, then the mean of the classes that are there."""
    fit = qnn(n_features=2, n_classes=3, n_qubits=3, n_steps=3)
    random = torch.Generator().manual_seed(0)
    x, labels = torch.randn(1, 9, 2, generator=random), torch.tensor([0] * 6 + [1] * 3)
    onehot = torch.eye(3)[labels][None]
    flat = fit.fit(x, onehot, even(x))
    found = fit.evaluate(flat, x, onehot)
    losses, accuracies = [], []
    for start in flat[0]:
        logits = fit.model.logits(start, x[0])
        nll = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        right = (logits.argmax(dim=1) == labels).float()
        losses.append(0.5 * (nll[:6].mean() + nll[6:].mean()))
        accuracies.append(0.5 * (right[:6].mean() + right[6:].mean()))
    torch.testing.assert_close(found.loss[0], torch.stack(losses).mean())
    torch.testing.assert_close(found.accuracy[0], torch.stack(accuracies).mean())


def test_logits_are_read_from_the_circuit() -> None:
    """Unit scale, no layer angles: class c has logit 2 cos(pi/2 x_c) + bias_c, and a qubit without a feature 2."""
    engine = StatevectorEngine(ANSAETZE["strongly_entangling"], 1, 1)
    model = QuantumClassifier(engine, 1, 1)
    flat = torch.cat([torch.ones(1), torch.zeros(3), torch.tensor([2.0, 0.25])])
    x = torch.tensor([[0.0], [0.5], [1.0]])
    torch.testing.assert_close(model.logits(flat, x), 2 * torch.cos(torch.pi / 2 * x) + 0.25)
    wider = QuantumClassifier(StatevectorEngine(ANSAETZE["strongly_entangling"], 2, 1), 1, 2)
    idle = torch.cat([torch.ones(1), torch.zeros(6), torch.tensor([2.0, 0, 0])])
    # CNOT(0, 1), then CNOT(1, 0): qubit 1 holds x, qubit 0 returns to |0>.
    expected = torch.cat([torch.full((3, 1), 2.0), 2 * torch.cos(torch.pi / 2 * x)], dim=1)
    torch.testing.assert_close(wider.logits(idle, x), expected)


@pytest.mark.parametrize("device", ["default.qubit", "lightning.qubit"])
def test_a_device_fits_the_same_classifier(device: str) -> None:
    """Trials and starts are two nested vmaps over the device."""
    x, onehot = (value[None] for value in blobs(0, n=4))
    config = QNNConfig(n_steps=2, n_layers=1)
    engine = PennyLaneEngine(ANSAETZE[config.ansatz], 2, 1, device)
    here = QNNFit(QuantumClassifier(engine, 2, 2), config)
    there = qnn(n_steps=2, n_layers=1)
    losses = [fit.evaluate(fit.fit(x, onehot, even(x)), x, onehot).loss for fit in (here, there)]
    torch.testing.assert_close(*losses, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ansatz", ["data_reuploading", "qcnn"])
def test_other_circuits_separate_blobs(ansatz: str) -> None:
    x, onehot = (torch.stack(values) for values in zip(blobs(0), blobs(1), strict=True))
    fit = QNNFit.of(QNNConfig(ansatz=ansatz), 2, 2, 2)
    assert (fit.evaluate(fit.fit(x, onehot, even(x)), x, onehot).accuracy > 0.85).all()


def test_a_regressor_learns_a_cosine() -> None:
    """Of one feature: what one qubit's <Z> is, up to the encoder's scale."""
    x = torch.linspace(-0.8, 0.8, 20)[None, :, None]
    fit = QNNFit.of_regressor(QNNConfig(n_layers=1, n_steps=200), 1, 1)
    flat = fit.fit(x, torch.cos(2 * x), even(x))
    found = fit.evaluate(flat, x, torch.cos(2 * x))
    predicted = torch.stack([fit.model.outputs(start, x[0]) for start in flat[0]])
    squares = (predicted - torch.cos(2 * x)).square().mean(dim=(1, 2))
    torch.testing.assert_close(found.loss[0], squares.mean())
    torch.testing.assert_close(found.accuracy[0], 1 - squares.mean() / torch.cos(2 * x).var(correction=0))
    assert found.accuracy[0] > 0.99


def test_a_regressor_stops_where_the_other_half_is_met_best() -> None:
    """Targets that are noise: the first half's fit is better on the second half early than at the end."""
    random = torch.Generator().manual_seed(0)
    x, target = torch.rand(1, 12, 1, generator=random), torch.randn(1, 12, 1, generator=random)
    engine = StatevectorEngine(ANSAETZE["strongly_entangling"], 1, 2)
    fit = QNNFit(QuantumRegressor(engine, 1, 1), QNNConfig(n_steps=40, lr=0.3))
    half = torch.tensor([1.0, 0.0] * 6)[None] / 6
    losses = torch.zeros(40)
    for weight, other in ((half, slice(1, None, 2)), (1 / 6 - half, slice(0, None, 2))):
        for step, flat in enumerate(fit.path(x, target, weight)):
            losses[step] += fit.evaluate(flat, x[:, other], target[:, other]).loss[0]
    best = fit.best_step(x, target)
    assert best == losses.argmin() + 1
    assert best < 40

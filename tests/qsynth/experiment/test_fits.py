"""Fits of a QNN and what they are fitted on."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from qsynth.data.dataset import Split
from qsynth.errors import StudyError
from qsynth.experiment.arms import BARS, ORACLES, SOFT, SyntheticArm, find_arm, needed
from qsynth.experiment.cell import balanced_mean
from qsynth.experiment.fits import looks, outcomes
from qsynth.experiment.regime import Imbalance
from qsynth.experiment.training_set import beside, joined, onehot, real_rows
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.synthesis.soft_labels import equal_classes, soft_labels
from tests.qsynth.experiment.made import blobs

QNN = QNNFit.of(QNNConfig(n_steps=30), 2, 2, 2)


def test_a_fit_learns_and_its_numbers_are_those_of_its_predictions() -> None:
    task = blobs(seeds=1)[0]
    real = real_rows(task.instance.train, 2, weighted=True, stops_early=False)
    [found] = outcomes(QNN, [real], [task.instance.test])
    parts = [torch.as_tensor(part)[None] for part in (real.x, real.targets, real.weight)]
    flat = QNN.fit(*parts)
    logits = torch.stack([QNN.model.outputs(start, torch.as_tensor(task.instance.test.x)) for start in flat[0]])
    y = task.instance.test.y
    scores = [balanced_accuracy_score(y, each.argmax(dim=1)) for each in logits]
    assert balanced_mean(found.correct, y) == pytest.approx(np.mean(scores), abs=1e-6)
    assert balanced_mean(found.correct, y) > 0.9
    told = torch.log_softmax(logits, dim=2)[:, torch.arange(len(y)), torch.as_tensor(y)].mean(dim=0)
    assert found.cross_entropy == pytest.approx(balanced_mean(-told.double().numpy(), y), abs=1e-5)
    assert found.path[-1] == pytest.approx(balanced_mean(found.correct, y), abs=1e-6)
    assert len(found.path) == len(looks(30))


def test_fits_together_are_those_alone() -> None:
    tasks = blobs()
    sets = [
        real_rows(task.instance.train, 2, weighted=True, stops_early=early) for task in tasks for early in (False, True)
    ]
    tests = [task.instance.test for task in tasks for _ in (0, 1)]
    together = outcomes(QNN, sets, tests)
    for each, test, found in zip(sets, tests, together, strict=True):
        [alone] = outcomes(QNN, [each], [test])
        assert np.allclose(alone.correct, found.correct)
        assert alone.cross_entropy == pytest.approx(found.cross_entropy, abs=1e-5)


def test_who_stops_early_has_the_step_that_folds_chose() -> None:
    task = blobs(seeds=1)[0]
    early = real_rows(task.instance.train, 2, weighted=True, stops_early=True)
    x, targets = torch.as_tensor(early.x)[None], torch.as_tensor(early.targets)[None]
    step = int(QNN.best_step(x, targets))
    fitted = QNN.fit(x, targets, torch.as_tensor(early.weight)[None], torch.tensor([step]))
    logits = QNN.model.outputs(fitted[0, 0], torch.as_tensor(task.instance.test.x))
    other = QNN.model.outputs(fitted[0, 1], torch.as_tensor(task.instance.test.x))
    right = [(each.argmax(dim=1).numpy() == task.instance.test.y) for each in (logits, other)]
    [found] = outcomes(QNN, [early], [task.instance.test])
    assert np.allclose(found.correct, np.mean(right, axis=0))


def test_every_class_has_the_same_weight_in_both_halves() -> None:
    task = blobs(Imbalance(ratio=10, n_majority=40), seeds=1)[0]
    labels = np.array([0, 0, 0, 1])
    made = beside(task.instance.train, np.zeros((4, 2), np.float32), onehot(labels, 2), 0.25)
    own = len(task.instance.train)
    assert made.weight.sum() == pytest.approx(1)
    assert made.weight[own:].sum() == pytest.approx(0.25)
    for part in (slice(None, own), slice(own, None)):
        shares = made.weight[part] @ made.targets[part]
        assert shares[0] == pytest.approx(shares[1], rel=1e-5)


def test_unweighted_rows_count_alike() -> None:
    task = blobs(Imbalance(ratio=10, n_majority=40), seeds=1)[0]
    alike, weighted = (real_rows(task.instance.train, 2, weighted=w, stops_early=False).weight for w in (False, True))
    assert np.ptp(alike) == 0
    assert weighted.max() / weighted.min() == pytest.approx(10)


def test_equal_classes_of_soft_labels_weigh_rows_by_their_class() -> None:
    assert equal_classes(np.array([[1, 0], [0, 1], [0, 1]], np.float32)).tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_joined_rows_put_half_of_each_class_at_every_other_place() -> None:
    task = blobs(Imbalance(ratio=10, n_majority=40), seeds=1)[0]
    both = joined(task.instance.train, task.more)
    assert np.bincount(both.y).tolist() == [40, 40]
    assert np.bincount(both.y[::2]).tolist() == [20, 20]


def test_arms_of_synthetic_rows_are_found_by_name() -> None:
    soft = find_arm(f"SMOTE{SOFT}")
    assert isinstance(soft, SyntheticArm)
    assert (soft.synthesizer, soft.labels) == ("SMOTE", "soft")
    assert needed([soft, find_arm("SMOTE"), find_arm(BARS[2])]) == ["SMOTE"]
    with pytest.raises(StudyError, match="Did you mean 'SMOTE'"):
        find_arm("SMOT")


def test_soft_labels_are_the_probabilities_of_a_model_of_the_real_rows() -> None:
    task = blobs(seeds=1)[0]
    real = task.instance.train
    told = soft_labels(real.x, real.y, 2, task.instance.test.x)
    assert np.allclose(told.sum(axis=1), 1, atol=1e-6)
    assert (told.argmax(axis=1) == task.instance.test.y).mean() > 0.9
    arm = SyntheticArm("SMOTE", "soft")
    made = arm.training_set(task, task.instance.test.x, task.instance.test.y, 0.5)
    assert np.allclose(made.targets[len(real) :], told)


def test_the_oracle_has_more_real_rows() -> None:
    task = blobs(seeds=1)[0]
    bar, oracle = find_arm(BARS[2]), find_arm(ORACLES[0])
    assert len(bar.training_set(task).x) == 20  # type: ignore[call-arg, union-attr]
    assert len(oracle.training_set(task).x) == 20 + len(task.more)  # type: ignore[call-arg, union-attr]


def test_one_class_alone_has_probabilities() -> None:
    real = Split(np.array([[0.0], [1.0], [5.0]], np.float32), np.array([0, 0, 2]))
    assert soft_labels(real.x, real.y, 3, np.array([[0.5]], np.float32))[0, 1] == 0

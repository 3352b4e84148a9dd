"""Each way to make rows makes those of the classes that it is asked for, as broad as the real ones."""

import numpy as np
import pytest
import torch

from qsynth.experiment.regime import FewLabels, Imbalance
from qsynth.experiment.synthesizers.augmentation import AMOUNTS, AUGMENTATIONS, noisy, rotated
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Setting
from qsynth.experiment.synthesizers.searched_rows import N_RUNS, SearchedRows, random_runs
from qsynth.experiment.synthesizers.training_rows import evenly, kept_back
from qsynth.experiment.training_set import onehot
from qsynth.qnn.fit import QNNConfig, QNNFit
from tests.qsynth.experiment.made import blobs

SETTING = Setting(QNNFit.of(QNNConfig(n_steps=20), 2, 2, 2), 0.5)
LABELS = np.arange(200) % 2
OWN = [name for name in ROW_SYNTHESIZERS if name != "qsynth agent"]  # rl_envs tests its own


@pytest.mark.parametrize("name", OWN)
def test_rows_are_those_of_the_classes(name: str) -> None:
    tasks = blobs(Imbalance(ratio=10, n_majority=40))
    made = ROW_SYNTHESIZERS[name].rows(tasks, LABELS, SETTING)
    assert len(made) == len(tasks)
    for x, task in zip(made, tasks, strict=True):
        assert x.shape == (200, 2)
        assert x.dtype == np.float32
        test = task.instance.test
        means = np.stack([test.x[test.y == label].mean(axis=0) for label in (0, 1)])
        nearest = ((x[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest == LABELS).mean() > 0.85
        spread = np.sqrt(np.mean([x[label == LABELS].var(axis=0) for label in (0, 1)], axis=0))
        real = np.sqrt(np.mean([test.x[test.y == label].var(axis=0) for label in (0, 1)], axis=0))
        assert (spread > 0.35 * real).all()
        assert (spread < 2.5 * real).all()
    assert not np.allclose(made[0], made[1])


@pytest.mark.parametrize("name", OWN)
def test_rows_are_always_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qsynth.experiment.synthesizers.gan_rows.N_ITERATIONS", 2)
    first, again = (ROW_SYNTHESIZERS[name].rows(blobs(seeds=1), LABELS[:20], SETTING)[0] for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("change", [noisy, rotated])
def test_more_change_is_farther_from_the_row(change: object) -> None:
    x = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    moved = [np.abs(change(x, amount, np.random.default_rng(1)) - x).mean() for amount in AMOUNTS]  # type: ignore[operator]
    assert moved == sorted(moved)
    assert moved[0] > 0


def test_turned_rows_keep_their_distance_from_the_mean() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    turned = rotated(x, 0.4, np.random.default_rng(1))
    centre = x.mean(axis=0)
    distances = [np.linalg.norm(each - centre, axis=1) for each in (x, turned)]
    assert np.allclose(*distances, atol=1e-4)


def test_folds_choose_an_amount_that_does_no_harm() -> None:
    """Classes that nearly touch: rows moved by a lot would be each other's."""
    noise = AUGMENTATIONS[0]
    tasks = blobs(FewLabels(n_rows=60), seeds=3, apart=8.0)
    made = noise.rows(tasks, LABELS, SETTING)
    for x, task in zip(made, tasks, strict=True):
        real = task.instance.train
        deviation = real.x.std(axis=0)
        nearest = np.abs((x[:, None] - real.x[None]) / deviation).max(axis=2).min(axis=1)
        assert np.median(nearest) < 2 * AMOUNTS[-1]


def test_gans_see_every_class_alike() -> None:
    task = blobs(Imbalance(ratio=20, n_majority=40), seeds=1)[0]
    even = evenly(task.instance)
    assert np.bincount(even.train.y).tolist() == [40, 40]
    assert len(np.unique(even.train.x, axis=0)) == len(task.instance.train)


def test_a_score_to_choose_by_has_rows_that_the_gan_never_sees() -> None:
    instance = kept_back(blobs(Imbalance(ratio=10, n_majority=40), seeds=1)[0].instance)
    seen, held = ({tuple(row) for row in part.x.tolist()} for part in (instance.train, instance.validation))
    assert not seen & held
    assert len(held) == 9
    assert np.bincount(instance.validation.y).tolist() == [8, 8]
    assert np.bincount(instance.train.y).tolist() == [32, 32]


def test_random_search_keeps_the_run_of_the_best_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qsynth.experiment.synthesizers.gan_rows.N_ITERATIONS", 20)
    tasks = blobs(Imbalance(ratio=5, n_majority=40))
    runs = [task for task in tasks for _ in range(N_RUNS)]
    population, values = random_runs([kept_back(task.instance) for task in runs], [task.seed for task in runs])
    score = population.evaluate().score.numpy().reshape(len(tasks), N_RUNS)
    assert len(np.unique(values["lr_generator"])) == len(runs)
    wanted = torch.as_tensor(onehot(LABELS, 2))
    made = SearchedRows().rows(tasks, LABELS, SETTING)
    for number, (x, task) in enumerate(zip(made, tasks, strict=True)):
        lane = number * N_RUNS + int(score[number].argmax())
        assert np.array_equal(x, population.sample(lane, wanted, task.seed).numpy())

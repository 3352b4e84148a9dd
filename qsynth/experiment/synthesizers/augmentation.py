"""Conventional augmentation: real rows again, moved a little or turned a little, by an amount that folds choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import special_ortho_group

from qsynth.data.dataset import Split
from qsynth.experiment.fits import outcomes
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.task import Task
from qsynth.experiment.training_set import beside, onehot

AMOUNTS = (0.05, 0.1, 0.2, 0.4)  # of a feature's standard deviation; of a quarter turn


def noisy(x: Floats, amount: float, random: np.random.Generator) -> Floats:
    """Each row with normal noise of so many standard deviations of its feature."""
    moved = x + amount * x.std(axis=0) * random.normal(size=x.shape)
    return np.asarray(moved, dtype=np.float32)


def rotated(x: Floats, amount: float, random: np.random.Generator) -> Floats:
    """Each row turned in a random plane about the rows' mean, by an angle of so much of a quarter turn as deviation."""
    n, d = x.shape
    centre = x.mean(axis=0)
    if d == 1:
        return x
    frames = special_ortho_group.rvs(d, size=n, random_state=random).reshape(n, d, d)
    angle = amount * np.pi / 2 * random.normal(size=n)
    inside = np.einsum("nij,nj->ni", frames, x - centre)
    first, second = inside[:, 0].copy(), inside[:, 1].copy()
    inside[:, 0] = np.cos(angle) * first - np.sin(angle) * second
    inside[:, 1] = np.sin(angle) * first + np.cos(angle) * second
    return np.asarray(np.einsum("nji,nj->ni", frames, inside) + centre, dtype=np.float32)


@dataclass(frozen=True)
class Augmentation:
    """Real rows again, changed by ``change``; by how much, the QNN's cross-entropy on folds of the real rows says."""

    name: str
    about: str
    change: Callable[[Floats, float, np.random.Generator], Floats]
    role: Role = "augmentation"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        sets, tests = [], []
        for task in tasks:
            real, n_classes = task.instance.train, task.instance.n_classes
            halves = [np.arange(len(real)) % 2 == half for half in (0, 1)]
            for amount in AMOUNTS:
                for own, other in (halves, halves[::-1]):
                    part = Split(real.x[own], real.y[own])
                    made = self._changed(part, labels, amount, task.seed)
                    sets.append(beside(part, made, onehot(labels, n_classes), setting.share))
                    tests.append(Split(real.x[other], real.y[other]))
        losses = np.array([each.cross_entropy for each in outcomes(setting.qnn, sets, tests)])
        best = losses.reshape(len(tasks), len(AMOUNTS), 2).mean(axis=2).argmin(axis=1)
        return [
            self._changed(task.instance.train, labels, AMOUNTS[chosen], task.seed)
            for task, chosen in zip(tasks, best, strict=True)
        ]

    def _changed(self, real: Split, labels: Labels, amount: float, seed: int) -> Floats:
        random = np.random.default_rng([seed, 9])
        rows = [real.x[real.y == label] for label in range(int(labels.max()) + 1)]
        chosen = np.stack([rows[label][random.integers(len(rows[label]))] for label in labels])
        return self.change(chosen, amount, random)


AUGMENTATIONS = (
    Augmentation("noise", "real rows with normal noise, whose width folds choose", noisy),
    Augmentation("rotation", "real rows turned about their mean by angles that folds choose", rotated),
)

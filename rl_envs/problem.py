"""What is known of a problem before any training: what tells it apart from others."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from qsynth.data.dataset import Instance
from qsynth.population.population import Population

NAMES = (
    *("rows", "features", "classes", "rarest", "mixing", "nearest", "thinness", "tails"),
    *("qubits", "iterations", "critic", "shot_noise"),
)
MOST_ROWS = 128  # that distances are measured on, whatever the number of rows: the first ones, in random order
REFERENCES = 5  # normal samples that thinness is relative to
SHORTEST = 1e-4
UNSEEN = 0.0  # of a lane without an instance


class Problems:
    """Describes what the lanes of a population learn, each instance once.

    Args:
        n_iterations: GAN iterations of a trial.

    Attributes:
        seen: name -> lanes, on the scales of an observation.
    """

    def __init__(self, population: Population, n_iterations: int) -> None:
        config, shots = population.config, population.config.engine.shots
        self._known: dict[str, dict[str, float]] = {}
        self._of_trials = {
            "qubits": float(np.log2(config.n_qubits) / 2.0 - 1.0),
            "iterations": float(np.log10(n_iterations) - 2.0),
            "critic": 1.0 if "n_critic" in population.values else -1.0,
            "shot_noise": 2.0 / np.sqrt(shots) - 1.0 if shots else -1.0,
        }
        self.seen = {name: np.full(population.n_lanes, UNSEEN) for name in NAMES}

    def begin(self, lanes: Sequence[int], instances: Sequence[Instance]) -> None:
        """Take in new trials."""
        for lane, instance in zip(lanes, instances, strict=True):
            if instance.key not in self._known:
                self._known[instance.key] = described(instance) | self._of_trials
            for name, value in self._known[instance.key].items():
                self.seen[name][lane] = value


def described(instance: Instance) -> dict[str, float]:
    """What the training rows are like, by the names of :data:`NAMES` up to ``tails``.

    Distances are those to a row's nearest neighbour of its class, in the scaled space. Thinness compares their median
    with that of normal rows with as many of each class and the same standard deviations: rows on a curve, in lumps or
    on a lattice have nearer neighbours. Tails are the kurtosis of a column within a class, in the mean.
    """
    train, n_classes = instance.train, instance.n_classes
    x, y = train.x[:MOST_ROWS].astype(np.float64), train.y[:MOST_ROWS]
    own = _nearest(x, y)
    within = _standardised(train.x.astype(np.float64), train.y)
    counts = np.bincount(train.y, minlength=n_classes)
    found = {
        "rows": np.log10(len(train)) - 2.0,
        "features": np.log2(instance.n_features) / 2.0 - 1.0,
        "classes": np.log2(n_classes) / 2.0 - 1.0,
        "rarest": 2.0 * counts.min() * n_classes / len(train) - 1.0,
        "mixing": 2.0 * _mixing(x, y) - 1.0,
        "nearest": 1.0 + np.log10(max(own, SHORTEST)),
        "thinness": np.log2(max(own, SHORTEST) / max(_expected(x, y), SHORTEST)),
        "tails": np.log2(max(float(np.mean(within**4)), 1.0) / 3.0) / 2.0,
    }
    return {name: float(value) for name, value in found.items()}


def _standardised(x: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each column within each class with mean 0 and standard deviation 1; 0 where it has no spread."""
    rows = np.zeros_like(x)
    for label in np.unique(y):
        mine = x[y == label] - x[y == label].mean(axis=0)
        spread = mine.std(axis=0)
        rows[y == label] = np.where(spread > 0, mine / np.where(spread > 0, spread, 1.0), 0.0)
    return rows


def _nearest(x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Median distance to the nearest neighbour of the same class; 0 where no class has two rows."""
    distances = [cKDTree(mine).query(mine, k=2)[0][:, 1] for label in np.unique(y) if len(mine := x[y == label]) > 1]
    return float(np.median(np.concatenate(distances))) if distances else 0.0


def _expected(x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The same of normal rows with the classes' counts and standard deviations, the mean of a few samples."""
    spread = np.zeros_like(x)
    for label in np.unique(y):
        spread[y == label] = x[y == label].std(axis=0)
    samples = np.random.default_rng(0).normal(size=(REFERENCES, *x.shape))
    return float(np.mean([_nearest(spread * sample, y) for sample in samples]))


def _mixing(x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Share of rows whose nearest neighbour is of another class."""
    if len(x) < 2:
        return 0.0
    return float(np.mean(y[cKDTree(x).query(x, k=2)[1][:, 1]] != y))

"""Few real rows that stand for all of them, chosen without a QNN: the rivals of distilled rows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from qsynth.data.dataset import Split

Floats = NDArray[np.float64]
# Of one class's rows (n x d), which ones (k) to keep.
Choice = Callable[[Floats, int, int], NDArray[np.int64]]


def random_rows(x: Floats, k: int, seed: int) -> NDArray[np.int64]:
    """Any."""
    return np.random.default_rng(seed).permutation(len(x))[:k]


def medoids(x: Floats, k: int, seed: int) -> NDArray[np.int64]:
    """The rows closest to the centres of k-means."""
    centres = KMeans(k, n_init=4, random_state=seed).fit(x).cluster_centers_
    return np.asarray(_squares(centres, x).argmin(axis=1), dtype=np.int64)


def herding(x: Floats, k: int, _seed: int) -> NDArray[np.int64]:
    """One after another, so that the mean of those kept is as close as it can be to the mean of all [Welling 2009]."""
    chosen: list[int] = []
    for size in range(1, k + 1):
        means = (x[chosen].sum(axis=0) + x) / size
        off = _squares(x.mean(axis=0)[None], means)[0]
        off[chosen] = np.inf
        chosen.append(int(off.argmin()))
    return np.array(chosen)


CHOICES: dict[str, Choice] = {"random rows": random_rows, "medoids": medoids, "herding": herding}


def coreset(choice: str, split: Split, n_rows: int, seed: int) -> Split:
    """``n_rows`` of a split's rows, of its classes in turn; classes with too few rows give what they have."""
    classes = np.unique(split.y)
    kept = []
    for place, label in enumerate(classes):
        own = np.flatnonzero(split.y == label)
        k = min(len(own), len(range(place, n_rows, len(classes))))
        kept.append(own[CHOICES[choice](split.x[own].astype(np.float64), k, seed)] if k else own[:0])
    rows = np.concatenate(kept)
    return Split(split.x[rows], split.y[rows])


def class_means(split: Split) -> Split:
    """One row for each class, the mean of its rows."""
    classes = np.unique(split.y)
    means = np.stack([split.x[split.y == label].mean(axis=0) for label in classes])
    return Split(means.astype(np.float32), classes.astype(np.int64))


def _squares(a: Floats, b: Floats) -> Floats:
    """Squared distances, rows of ``a`` x rows of ``b``."""
    return np.asarray(((a[:, None] - b[None]) ** 2).sum(axis=2))

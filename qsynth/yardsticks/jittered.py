"""Yardsticks whose rows are jittered as much as the validation rows ask for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from qsynth.data.dataset import Instance, Split
from qsynth.yardsticks.yardstick import Fitted, Floats, Labels, Yardstick, pooled_covariance

WIDTHS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)  # of the jitter, in standard deviations
MOST_ROWS = 512  # that are compared with the validation rows, and of these
STREAM = 1 << 20  # of the jitter's random numbers; classes have the streams below


@dataclass(frozen=True)
class JitteredRows:
    """Another yardstick's rows with normal noise on them.

    Attributes:
        sd: of the noise, ``d``.
    """

    base: Fitted
    sd: Floats

    def sample(self, labels: Labels, seed: int) -> NDArray[np.float32]:
        """Rows for labels."""
        rows = self.base.sample(labels, seed)
        noise = np.random.default_rng([seed, STREAM]).normal(size=rows.shape)
        return (rows + noise * self.sd).astype(np.float32)


class Jittered:
    """A yardstick with normal noise of the width, in columns' standard deviations within classes, that brings its rows
    nearest to the validation rows in energy distance, class by class."""

    ceiling = False

    def __init__(self, base: Yardstick) -> None:
        self._base = base
        self.name, self.about = f"{base.name}, jittered", f"{base.about}; noise on it, its width by validation"

    def fit(self, instance: Instance, seed: int) -> JitteredRows:
        """Learn from the training rows, and choose the width by the validation rows."""
        base, sd = self._base.fit(instance, seed), np.sqrt(np.diag(pooled_covariance(instance)))
        real = Split(instance.validation.x[:MOST_ROWS], instance.validation.y[:MOST_ROWS])
        labels = np.resize(real.y, MOST_ROWS)

        def missed(width: float) -> float:
            return energy_distance(JitteredRows(base, width * sd).sample(labels, seed), labels, real)

        return JitteredRows(base, min(WIDTHS, key=missed) * sd)


def energy_distance(x: Floats, labels: Labels, real: Split) -> float:
    """Energy distance [Szekely & Rizzo 2013] of rows (``n x d``) to real ones, the mean over classes in the real rows'
    shares, but for a part that is the same for all rows; unbiased."""
    total = 0.0
    for label in np.unique(real.y):
        mine, theirs = x[labels == label], real.x[real.y == label]
        within = float(pdist(mine).mean()) if len(mine) > 1 else 0.0
        total += len(theirs) / len(real) * (2 * float(cdist(mine, theirs).mean()) - within)
    return total

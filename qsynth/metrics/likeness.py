"""Whether synthetic rows are as varied as real ones, and lie where they lie, looked at closely."""

import math

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import OfShape, Prepared, UnbiasedMetric
from qsynth.metrics.pairs import MOST_ROWS, distances, rows_of, whitening, within

REACH = 0.5  # of the typical distance of two rows of a class, in standard deviations a feature


class LocalDiscrepancy(OfShape, UnbiasedMetric):
    """Squared maximum mean discrepancy (Gretton et al. 2012) at a short range within classes, unbiased, in units of the
    real rows' own likeness, its value for real rows that share no place with the synthetic ones.

    The likeness of two rows is exp(-distance / (REACH sqrt(n_features))), 0 where their classes differ, where the
    training rows of a class have unit covariance. Rows that repeat, lie too close or were left out raise it, and
    so do rows that are too far apart, or that go together in another way.
    """

    name = "diversity"
    half = 0.5

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The real rows, their likeness, and the training rows' to measure it by."""
        map_ = whitening(instance)
        (x, onehot), (train, train_onehot) = rows_of(part, self.n_classes), rows_of(instance.train, self.n_classes)
        x, train = x @ map_, train @ map_
        unit = self._own(train, train_onehot).clamp(min=1e-6)
        return {"map": map_, "rows": x, "onehot": onehot, "likeness": self._own(x, onehot), "unit": unit}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Squared discrepancy, for each trial; below 0 by chance."""
        rows, labels = x[:, :MOST_ROWS] @ prepared["map"], onehot[:, :MOST_ROWS]
        own = self._own(rows, labels)
        across = self._likeness(rows, labels, prepared["rows"], prepared["onehot"]).mean(dim=(1, 2))
        return {self.name: (own + prepared["likeness"] - 2.0 * across) / prepared["unit"]}

    def _own(self, rows: Tensor, onehot: Tensor) -> Tensor:
        return within(self._likeness(rows, onehot, rows, onehot), onehot)

    def _likeness(self, a: Tensor, a_onehot: Tensor, b: Tensor, b_onehot: Tensor) -> Tensor:
        near = torch.exp(-distances(a, b) / (REACH * math.sqrt(self.n_features)))
        return near * (a_onehot @ b_onehot.transpose(-1, -2))

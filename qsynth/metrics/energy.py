"""How far the joint distribution of rows and labels is from the real one."""

import math

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import OfShape, Prepared, UnbiasedMetric
from qsynth.metrics.pairs import MOST_ROWS, distances, rows_of, within


class EnergyDistance(OfShape, UnbiasedMetric):
    """Energy distance (Szekely & Rizzo 2013) of (x, label), in units of the real rows' mean distance, unbiased.

    A sample of n real rows is at 1/n from its law; so a half is worth what is as far as 32 real rows are. Labels that
    differ are 1 apart.
    """

    name = "fidelity"
    half = 1 / 32

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The real rows with labels as columns, their mean distance, and the training rows' to measure it by."""
        x, onehot = rows_of(part, self.n_classes)
        train, train_onehot = rows_of(instance.train, self.n_classes)
        unit = self._spread(self._joint(train, train_onehot), train_onehot)
        rows = self._joint(x, onehot)
        return {"rows": rows, "spread": self._spread(rows, onehot), "unit": unit.clamp(min=1e-6)}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Squared distance, for each trial; below 0 by chance."""
        labels = onehot[:, :MOST_ROWS]
        rows = self._joint(x[:, :MOST_ROWS], labels)
        across = distances(rows, prepared["rows"]).mean(dim=(1, 2))
        return {self.name: (2.0 * across - self._spread(rows, labels) - prepared["spread"]) / prepared["unit"]}

    def _spread(self, rows: Tensor, onehot: Tensor) -> Tensor:
        return within(distances(rows, rows), onehot)

    def _joint(self, x: Tensor, onehot: Tensor) -> Tensor:
        return torch.cat([x, onehot / math.sqrt(2)], dim=-1)

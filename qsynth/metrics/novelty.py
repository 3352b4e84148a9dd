"""Whether synthetic rows are new, or training rows once more."""

from typing import Self

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import MetricSetting, Prepared, UnbiasedMetric
from qsynth.metrics.pairs import MOST_ROWS, distances, rows_of, whitening

MOST_TRAINING_ROWS = 2048
TIED = 1e-5


class Memorisation(UnbiasedMetric):
    """Share of synthetic rows that lie nearer to a training row than to a held-out real one, beyond what chance gives.

    After the distance to the closest record against a holdout (Platzer & Reutterer 2021): with as many rows of both, a
    second real sample is nearer to one in half of the cases. Here the counts may differ, and ties are shared: 0 is what
    chance gives in the class of the nearest row, 1 are copies. Distances are as in
    :class:`qsynth.metrics.likeness.LocalDiscrepancy`.
    """

    name = "novelty"
    half, floor = 0.5, 0.05

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes

    @classmethod
    def of(cls, setting: MetricSetting) -> Self:
        """The metric in one study."""
        return cls(setting.n_classes)

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """Training and held-out rows, and what being nearest to each of them says."""
        map_, seen = whitening(instance), slice(MOST_TRAINING_ROWS)
        held_out, labels = rows_of(part, self.n_classes)
        train = torch.as_tensor(instance.train.x[seen])
        train_labels = torch.eye(self.n_classes)[torch.as_tensor(instance.train.y[seen])]
        counts, held_counts = train_labels.sum(dim=0), labels.sum(dim=0)
        expected = torch.cat([train_labels, labels]) @ (counts / (counts + held_counts).clamp(min=1))
        is_training = torch.cat([torch.ones(len(train)), torch.zeros(len(held_out))])
        most = len(held_out) / (len(train) + len(held_out))
        return {"map": map_, "rows": torch.cat([train, held_out]) @ map_, "excess": (is_training - expected) / most}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Excess share, for each trial; below 0 by chance."""
        apart = distances(x[:, :MOST_ROWS] @ prepared["map"], prepared["rows"])
        nearest = (apart <= apart.amin(dim=2, keepdim=True) + TIED).to(x.dtype)
        said = (nearest @ prepared["excess"][:, :, None]).squeeze(2) / nearest.sum(dim=2)
        return {self.name: said.mean(dim=1)}

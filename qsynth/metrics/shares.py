"""Whether the classes have the shares that they have in the real data, without the luck of the draw."""

from typing import Self

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.balance import ClassShares
from qsynth.metrics.metric import MetricSetting, Prepared, UnbiasedMetric


class ShareDistance(UnbiasedMetric):
    """Chi-squared distance between the class shares of synthetic and real rows, unbiased.

    The classes are those that :class:`qsynth.metrics.balance.ClassShares` sees. A half is worth what has half of one of
    three classes in the others' places.
    """

    name = "balance"
    half = 1 / 8
    needs_classes = True

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_classes = n_classes
        self._seen = ClassShares(n_features, n_classes)

    @classmethod
    def of(cls, setting: MetricSetting) -> Self:
        """The metric in one study."""
        return cls(setting.n_features, setting.n_classes)

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The reference classifier, the shares that it sees in the real rows, and the classes' true ones."""
        prepared = self._seen.prepare(instance, part)
        batched = {name: value[None] for name, value in prepared.items()}
        onehot = torch.eye(self.n_classes)[torch.as_tensor(part.y)]
        shares, chance = self._shares(batched, torch.as_tensor(part.x)[None], onehot[None])
        true = torch.as_tensor(instance.class_shares, dtype=shares.dtype, device="cpu").to(shares.device)
        return prepared | {"shares": shares[0], "chance": chance[0], "true": true.clamp(min=1 / len(instance.train))}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Distance, for each trial; below 0 by chance."""
        shares, chance = self._shares(prepared, x, onehot)
        squared = (shares - prepared["shares"]) ** 2 - chance - prepared["chance"]
        return {self.name: (squared / prepared["true"]).sum(dim=1)}

    def _shares(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> tuple[Tensor, Tensor]:
        """Shares seen, and their variance when the rows of each label are drawn anew: trials x n_classes each."""
        seen = self._seen.classes(prepared, x)
        counts = onehot.sum(dim=1).clamp(min=1)[..., None]
        rates = onehot.transpose(1, 2) @ seen / counts  # trials x labels x classes seen
        weights = (counts / x.shape[1]) ** 2 / (counts - 1).clamp(min=1)
        return seen.mean(dim=1), (weights * rates * (1 - rates)).sum(dim=1)

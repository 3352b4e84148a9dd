"""Whether the classes have the shares that they have in the real data, and look as their labels say."""

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.balance import ClassShares
from qsynth.metrics.metric import OfShape, Prepared, UnbiasedMetric

LEAST_RATE = 0.1  # at which a class is taken for another: rarer mistakes are expected as often as this


class ShareDistance(OfShape, UnbiasedMetric):
    """Chi-squared distance between synthetic and real rows' table of shares, label by class seen, unbiased.

    The classes are those that :class:`qsynth.metrics.balance.ClassShares` sees. A half is worth what has half of one of
    three classes in the others' places.
    """

    name = "balance"
    half = 1 / 8
    needs_classes = True

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_classes = n_classes
        self._seen = ClassShares(n_features, n_classes)

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The reference classifier, its table of the real rows, what chance adds to one row's, and the expected one."""
        prepared = self._seen.prepare(instance, part)
        batched = {name: value[None] for name, value in prepared.items()}
        counts, table = self._table(batched, part)
        spread = table * (1 - table / counts) / (counts - 1).clamp(min=1)  # of rows of one label, unbiased
        shares = counts / counts.sum()
        train_counts, train_table = self._table(batched, instance.train)
        expected = (train_table / train_counts).clamp(min=LEAST_RATE) * train_counts / train_counts.sum()
        made = {"table": table / counts.sum(), "chance": (shares * spread / expected).sum(), "expected": expected}
        return prepared | made | {"n_rows": counts.sum()}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Distance, for each trial; below 0 by chance."""
        table = onehot.transpose(1, 2) @ self._seen.classes(prepared, x) / x.shape[1]
        squared = ((table - prepared["table"]) ** 2 / prepared["expected"]).sum(dim=(1, 2))
        return {self.name: squared - prepared["chance"] * (1 / x.shape[1] + 1 / prepared["n_rows"])}

    def _table(self, prepared: Prepared, part: Split) -> tuple[Tensor, Tensor]:
        """Rows of each label (n_classes x 1), and of each label and class seen (n_classes x n_classes)."""
        onehot = torch.eye(self.n_classes)[torch.as_tensor(part.y)]
        seen = self._seen.classes(prepared, torch.as_tensor(part.x)[None])[0]
        return onehot.sum(dim=0)[:, None].clamp(min=1), onehot.T @ seen

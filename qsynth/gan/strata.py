"""The training rows of a trial by class, and batches that hold every class."""

from typing import NamedTuple

import torch
from torch import Tensor

from qsynth.gan.generator import Rows

EPSILON = 1e-12


class Strata(NamedTuple):
    """All training rows: capacity x d, capacity x classes (0 in rows that do not count), and rows of each class."""

    x: Tensor
    onehot: Tensor
    counts: Tensor

    @classmethod
    def of(cls, rows: Tensor, n_rows: Tensor, n_features: int) -> "Strata":
        """Of (x, onehot(y)), capacity x (n_features + classes), of which the first ``n_rows`` count."""
        counted = torch.arange(rows.shape[0]) < n_rows
        onehot = rows[:, n_features:] * counted[:, None]
        return cls(rows[:, :n_features], onehot, onehot.sum(dim=0))

    @property
    def shares(self) -> Tensor:
        """Of the classes, which sum to 1."""
        return self.counts / self.counts.sum()

    def batch(self, u: Tensor, offset: Tensor, sample_weights: Tensor) -> Rows:
        """Real rows in pairs of one class, weighted so that what is averaged has its expectation over training rows.

        Each class gets a pair, and the other pairs are dealt by the classes' shares at evenly spaced places that
        ``offset`` moves (systematic sampling). A batch with fewer pairs than classes is dealt by shares alone: rare
        classes come up in some batches, with as much more weight [Horvitz & Thompson 1952]. A row without a partner
        has no weight.

        Args:
            u: of (0, 1), batch: which of its class each row is.
            offset: of (0, 1), a scalar.
            sample_weights: batch, positive for samples in use.
        """
        size, n_classes = u.shape[0], self.counts.shape[0]
        n_pairs = torch.div((sample_weights > 0).sum(), 2, rounding_mode="floor")
        pair = torch.div(torch.arange(size), 2, rounding_mode="floor")
        n_served = n_classes * (n_pairs >= n_classes)
        place = (pair - n_served + offset) / (n_pairs - n_served).clamp(min=1)
        dealt = (place[:, None] > self.shares.cumsum(dim=0)[:-1]).sum(dim=1)
        label = torch.where(pair < n_served, pair, dealt)
        onehot = (label[:, None] == torch.arange(n_classes)).to(self.x.dtype)
        used = onehot * (pair < n_pairs)[:, None]
        often = torch.where(n_served > 0, 1.0, (self.shares * n_pairs).clamp(max=1.0))
        of_class = self.shares / often.clamp(min=EPSILON) / used.sum(dim=0).clamp(min=1)
        rank = torch.floor(u.to(onehot.dtype) * (onehot @ self.counts))
        before = (onehot @ self.onehot.cumsum(dim=0).T <= rank[:, None]).sum(dim=1)
        return Rows(self.x[before.clamp(max=self.x.shape[0] - 1)], onehot, used @ of_class)

"""The training rows of a trial, and batches of them: with equal chances, or such that hold every class."""

from typing import NamedTuple

import torch
from torch import Tensor

from qsynth.gan.generator import Rows

EPSILON = 1e-12


class Pool(NamedTuple):
    """Training rows (x, onehot(y)), capacity x (d + classes), of which the first ``n_rows`` count.

    Both may have leading axes, as those of :class:`Strata` may before a batch is drawn.
    """

    rows: Tensor
    n_rows: Tensor

    def batch(self, n_features: int, u: Tensor, sample_weights: Tensor) -> Rows:
        """Real rows with equal chances, by numbers ``u`` of (0, 1)."""
        chosen = self.rows[(u * self.n_rows).to(torch.int64)]
        return Rows(chosen[:, :n_features], chosen[:, n_features:], sample_weights)

    def known(self, n_features: int) -> tuple[Tensor, Tensor]:
        """All rows and their labels, which are 0 where a row does not count; without leading axes."""
        counted = torch.arange(self.rows.shape[0]) < self.n_rows
        return self.rows[:, :n_features], self.rows[:, n_features:] * counted[:, None]


class Strata(NamedTuple):
    """All training rows, sorted by class, and what does not change while a generator learns from them.

    Attributes:
        columns: d x capacity, the rows' features.
        members: classes x capacity, 1 where a row is of the class; 0 in rows that do not count, which come last.
        counts: rows of each class.
        before: rows of the classes before each.
        unit: mean squared distance of two rows of a class.
    """

    columns: Tensor
    members: Tensor
    counts: Tensor
    before: Tensor
    unit: Tensor

    @classmethod
    def of(cls, rows: Tensor, n_rows: Tensor, n_features: int) -> "Strata":
        """Of (x, onehot(y)), ... x capacity x (n_features + classes), of which the first ``n_rows`` count."""
        counted = torch.arange(rows.shape[-2]) < n_rows[..., None]
        n_classes = rows.shape[-1] - n_features
        label = torch.where(counted, rows[..., n_features:].argmax(dim=-1), n_classes)
        order = label.argsort(dim=-1, stable=True)[..., None, :]
        columns = rows.mT.take_along_dim(order, dim=-1)
        x, members = columns[..., :n_features, :], columns[..., n_features:, :] * counted[..., None, :]
        counts = members.sum(dim=-1)
        # The squared distance is twice the variance, summed over features.
        centre = (x @ members.mT) / counts.clamp(min=1)[..., None, :]
        away = torch.square(x - centre @ members).sum(dim=-2) * members.sum(dim=-2)
        unit = (2 * away.sum(dim=-1) / counts.sum(dim=-1)).clamp(min=EPSILON)
        return cls(x.contiguous(), members, counts, counts.cumsum(dim=-1) - counts, unit)

    def known(self, _n_features: int) -> tuple[Tensor, Tensor]:
        """All rows and their labels, which are 0 where a row does not count; without leading axes."""
        return self.columns.T, self.members.T

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
        # All in floating point, and without look-ups by label: compilers make few, fast instructions of it.
        dtype, n_classes = self.columns.dtype, self.counts.shape[0]
        n_pairs = torch.floor((sample_weights > 0).sum() / 2)
        pair = torch.floor(torch.arange(u.shape[0], dtype=dtype) / 2)[:, None]
        n_served = n_classes * (n_pairs >= n_classes)
        total = self.counts.sum()
        place = ((pair - n_served + offset) / (n_pairs - n_served).clamp(min=1) * total).clamp(max=total)
        dealt = (place > self.before) & (place <= self.before + self.counts)
        onehot = torch.where(pair < n_served, pair == torch.arange(n_classes), dealt).to(dtype)
        used = onehot * (pair < n_pairs)
        often = torch.where(n_served > 0, 1.0, (self.shares * n_pairs).clamp(max=1.0))
        of_class = self.shares / often.clamp(min=EPSILON) / used.sum(dim=0).clamp(min=1)
        # A product may be rounded up to the number of rows.
        last = ((onehot * self.counts).sum(dim=1) - 1).clamp(min=0)
        rank = torch.minimum(torch.floor(u.to(dtype) * (last + 1)), last)
        row = (onehot * self.before).sum(dim=1) + rank
        x = self.columns[:, row.to(torch.int64).clamp(max=self.columns.shape[1] - 1)].T
        return Rows(x, onehot, (used * of_class).sum(dim=1))

"""A table's numbers as normal scores, class by class, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from qsynth.synthesis.filling import fill, likely_correlation
from qsynth.synthesis.margin import FEW_VALUES, Margin

POOLED_ROWS = 10.0  # that the other classes' rows together count for in a class's continuous columns
POOLED_CODES = 1.0  # and in its codes
MOST_POOLED = 2048  # of those rows; more say no more
CALIBRATION_ROWS = 4096
FEWEST_A_CLASS = 256  # of these
N_QUANTILES = 65

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class TableScores:
    """Numbers (``n x columns``, NaN where missing) of labelled rows to scores (``n x p``) and back.

    Each column goes through its distribution within the row's class (:class:`qsynth.synthesis.margin.Margin`) to
    standard normal scores; a column that has missing values is followed by a second one that says so. What is left to
    learn is how columns go together within a class: their copula [Sklar 1959]. In a class the rows of the others count
    as well, shifted to its mean, for as much as ten rows, so that small classes have distributions too.

    Attributes:
        orders: column index -> its codes in the order of their scores, for codes without an order of their own.
        gaps: indices of the columns that have missing values.
        discrete: of each column, whether it has few values, and none between them.
        margins: a class's margins: those of the columns, then those of the gaps.
    """

    orders: Mapping[int, tuple[float, ...]]
    gaps: tuple[int, ...]
    discrete: tuple[bool, ...]
    margins: tuple[tuple[Margin, ...], ...]

    @property
    def n_columns(self) -> int:
        """Number of the table's columns."""
        return len(self.discrete)

    @property
    def n_scores(self) -> int:
        """``p``: columns and gaps."""
        return self.n_columns + len(self.gaps)

    @classmethod
    def fit(cls, numbers: Floats, labels: Labels, nominal: Sequence[bool], n_classes: int) -> Self:
        """From rows (``n x columns``); ``nominal`` says which columns hold codes without an order."""
        gaps = tuple(np.flatnonzero(np.isnan(numbers).any(axis=0)).tolist())
        codes = np.flatnonzero(nominal).tolist()
        orders = {column: _order(numbers, column) for column in codes if _n_values(numbers[:, column]) > 2}
        discrete = tuple(bool(nominal[c]) or _n_values(numbers[:, c]) <= FEW_VALUES for c in range(len(nominal)))
        blank = cls(orders=orders, gaps=gaps, discrete=discrete, margins=((),) * n_classes)
        return blank.of_rows(numbers, labels)

    def of_rows(self, numbers: Floats, labels: Labels) -> Self:
        """The same with the distributions of other rows of the table."""
        columns = list(zip(_ranked(numbers, self.orders).T, self.discrete, strict=True))
        columns += [(np.isnan(numbers[:, column]).astype(float), True) for column in self.gaps]
        by_column = [_margins(column, labels, len(self.margins), discrete=discrete) for column, discrete in columns]
        margins = tuple(zip(*by_column, strict=True))
        return replace(self, margins=margins)

    def forward(self, numbers: Floats, labels: Labels, random: np.random.Generator) -> Floats:
        """Scores (``n x p``): rows of one value are spread at random, missing ones drawn as the others suggest."""
        values = np.hstack([_ranked(numbers, self.orders), np.isnan(numbers[:, list(self.gaps)])])
        place = random.uniform(size=values.shape)
        scores = np.zeros_like(values)
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            limit = 0.5 / (len(mine) + 1)
            for index, margin in enumerate(self.margins[label]):
                known = mine[~np.isnan(values[mine, index])]
                shares = margin.forward(values[known, index], place[known, index])
                scores[known, index] = ndtri(shares.clip(limit, 1 - limit))
        missing = np.isnan(values)
        if missing.any():
            scores = fill(scores, missing, likely_correlation(np.where(missing, np.nan, scores)), random)
        return scores

    def inverse(self, shares: Floats, labels: Labels) -> Floats:
        """Numbers (``n x columns``) of shares (``n x p``, in 0..1), NaN where missing."""
        values = np.zeros_like(shares)
        for label in np.unique(labels):
            mine = labels == label
            for index, margin in enumerate(self.margins[label]):
                values[mine, index] = margin.inverse(shares[mine, index])
        numbers = values[:, : self.n_columns]
        for column, codes in self.orders.items():
            places = np.rint(numbers[:, column]).clip(0, len(codes) - 1).astype(np.int64)
            numbers[:, column] = np.array(codes)[places]
        gaps = list(self.gaps)
        numbers[:, gaps] = np.where(values[:, self.n_columns :] > 0.5, np.nan, numbers[:, gaps])
        return numbers

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, lossless state."""
        return {
            "discrete": list(self.discrete),
            "orders": [[column, list(codes)] for column, codes in self.orders.items()],
            "gaps": list(self.gaps),
            "margins": [[margin.to_dict() for margin in of_class] for of_class in self.margins],
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The scores that :meth:`to_dict` described.

        Raises:
            ValueError, TypeError or KeyError: the state isn't one of those.
        """
        discrete, gaps = tuple(bool(each) for each in state["discrete"]), tuple(int(gap) for gap in state["gaps"])
        n_columns = len(discrete)
        orders = {int(column): tuple(float(code) for code in codes) for column, codes in state["orders"]}
        margins = tuple(tuple(Margin.from_dict(each) for each in of_class) for of_class in state["margins"])
        if any(not 0 <= column < n_columns for column in (*gaps, *orders)) or not all(orders.values()):
            raise ValueError(f"columns beyond the {n_columns} that there are, or without codes")
        if not margins or any(len(of_class) != n_columns + len(gaps) for of_class in margins):
            raise ValueError(f"margins for other columns than {n_columns} and {len(gaps)} gaps")
        return cls(orders=orders, gaps=gaps, discrete=discrete, margins=margins)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores that a model makes to shares of its own scores below them, so that columns keep their distributions.

    Attributes:
        quantiles: ``classes x p x 65`` of the model's scores, ascending along the last axis.
    """

    quantiles: Floats

    @classmethod
    def fit(cls, scores: Floats, labels: Labels, n_classes: int) -> Self:
        """From many rows of the model (``n x p``), of every class some."""
        grid = np.linspace(0, 1, N_QUANTILES)
        return cls(np.stack([np.quantile(scores[labels == each], grid, axis=0).T for each in range(n_classes)]))

    def shares(self, scores: Floats, labels: Labels) -> Floats:
        """Of scores (``n x p``): normal where the model's are, within its own range."""
        grid = ndtri(np.linspace(0, 1, N_QUANTILES).clip(0.5 / CALIBRATION_ROWS, 1 - 0.5 / CALIBRATION_ROWS))
        found = np.zeros_like(scores)
        for label in np.unique(labels):
            mine = labels == label
            for index, quantiles in enumerate(self.quantiles[label]):
                found[mine, index] = ndtr(np.interp(scores[mine, index], quantiles, grid))
        return found


def calibration_labels(n_classes: int) -> Labels:
    """Classes of the rows that a model is calibrated with (``n``)."""
    return np.arange(max(CALIBRATION_ROWS, FEWEST_A_CLASS * n_classes), dtype=np.int64) % n_classes


def _n_values(column: Floats) -> int:
    return len(np.unique(column[~np.isnan(column)]))


def _margins(column: Floats, labels: Labels, n_classes: int, *, discrete: bool) -> tuple[Margin, ...]:
    """Of each class's values, those of the others beside them."""
    known = ~np.isnan(column)
    values, classes = column[known], labels[known]
    if not len(values):
        return (Margin(np.zeros(1), np.ones(1)),) * n_classes
    low, high = values.min(), values.max()
    found, counts = np.unique(values, return_counts=True)
    shared = discrete or counts.max() > max(2, len(values) // FEW_VALUES)
    members = np.bincount(classes, minlength=n_classes)
    means = np.bincount(classes, values, minlength=n_classes) / members.clip(min=1)
    thin, thin_means = _thinned(values, means[classes])

    def margin(label: int) -> Margin:
        own = values[classes == label]
        if len(own) in (0, len(values)):
            return Margin.fit(values, np.ones(len(values)), discrete=discrete, low=low, high=high)
        if discrete:
            pool, loads = found, POOLED_CODES * counts / counts.sum()
        elif shared:  # the others' values as they are: moved, they were none of the column's
            pool, loads = thin, np.full(len(thin), POOLED_CODES / len(thin))
        else:
            pool = thin - thin_means + means[label]
            pool = pool[(pool >= low) & (pool <= high)]
            loads = np.full(len(pool), POOLED_ROWS / max(1, len(pool)))
        weights = np.concatenate([np.ones(len(own)), loads])
        return Margin.fit(np.concatenate([own, pool]), weights, discrete=discrete, low=low, high=high)

    return tuple(margin(label) for label in range(n_classes))


def _thinned(values: Floats, beside: Floats) -> tuple[Floats, Floats]:
    """At most ``MOST_POOLED`` of the values, evenly from the smallest to the largest, and what stands beside them."""
    if len(values) <= MOST_POOLED:
        return values, beside
    chosen = np.argsort(values, kind="stable")[np.linspace(0, len(values) - 1, MOST_POOLED).round().astype(np.int64)]
    return values[chosen], beside[chosen]


def _order(numbers: Floats, column: int) -> tuple[float, ...]:
    """A column's codes by the mean, over their rows, of what the other columns have most in common."""
    codes = np.unique(numbers[~np.isnan(numbers[:, column]), column])
    others = np.delete(numbers, column, axis=1)
    deviation = np.nanstd(others, axis=0) if others.size else np.zeros(0)
    others = others[:, deviation > 0]
    if not others.shape[1]:
        return tuple(codes.tolist())
    standard = np.nan_to_num((others - np.nanmean(others, axis=0)) / deviation[deviation > 0])
    leading = np.linalg.svd(standard, full_matrices=False)[2][0]
    leading = leading * np.sign(leading[np.abs(leading).argmax()])
    common = standard @ leading
    means = [common[numbers[:, column] == code].mean() for code in codes]
    return tuple(codes[np.argsort(means, kind="stable")].tolist())


def _ranked(numbers: Floats, orders: Mapping[int, tuple[float, ...]]) -> Floats:
    """The numbers, with codes that have no order replaced by their places; a code unseen goes to the middle."""
    ranked = np.array(numbers, dtype=np.float64)
    for column, codes in orders.items():
        places = {code: place for place, code in enumerate(codes)}
        middle = (len(codes) - 1) // 2
        ranked[:, column] = [
            np.nan if np.isnan(value) else places.get(float(value), middle) for value in numbers[:, column]
        ]
    return ranked

"""Everything that a report measures, in its order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from qsynth.quality import column_view
from qsynth.quality.associations import associations, mean_difference
from qsynth.quality.c2st import c2st_auc
from qsynth.quality.coverage import Coverage, coverage
from qsynth.quality.distances import energy_distance, sliced_wasserstein
from qsynth.quality.estimate import Estimate
from qsynth.quality.number import Number, UnmeasuredError, attempt
from qsynth.quality.privacy import closest, copies, membership_auc, memorised
from qsynth.quality.qnn_utility import qnn_utility
from qsynth.quality.samples import Rows, Samples
from qsynth.quality.tstr import FOREST, LINEAR, utility

UNKNOWN = "no held-out rows were given: rows that the model did not see are needed to tell memory from likeness"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of rows.

    Attributes:
        of: measures rows under judgement.
        reference: a number that is known beforehand; None: ``of`` real rows in the synthetic rows' place.
    """

    key: str
    title: str
    meaning: str
    of: Callable[[Samples, Rows], float | Estimate]
    reference: float | None = None

    def number(self, samples: Samples) -> Number:
        """Of the synthetic rows, of the yardsticks', and of real ones; None, with the reason, where it can't be had."""
        found, reason = attempt(lambda: self.of(samples, samples.synthetic))
        reference = self._value(samples, samples.stand_in) if self.reference is None else self.reference
        return Number(
            key=self.key,
            title=self.title,
            value=None if found is None else found.value,
            interval=None if found is None else found.interval,
            reference=reference,
            meaning=self.meaning,
            reason=reason,
            beside={name: self._value(samples, rows) for name, rows in samples.beside.items()},
        )

    def _value(self, samples: Samples, rows: Rows) -> float | None:
        found, _ = attempt(lambda: self.of(samples, rows))
        return None if found is None else found.value


def measures(samples: Samples) -> Iterator[Measure]:
    """Those that the table allows: without a target nothing is predicted."""
    yield from _LIKENESS
    if samples.features.target is not None:
        yield from _utility(samples)
    yield from _spread()
    yield from _PRIVACY


def _columns(samples: Samples, rows: Rows) -> float:
    blocks = samples.features.blocks
    found = [column_view.distance(block, samples.fresh.frame, rows.frame) for block in blocks]
    known = [each for each in found if each is not None]
    if not known:
        raise UnmeasuredError("no column has values on both sides")
    return float(np.mean(known))


def _pairs(samples: Samples, rows: Rows) -> float:
    blocks = samples.features.blocks
    if len(blocks) < 2:
        raise UnmeasuredError("it needs two columns")
    return mean_difference(associations(samples.fresh.matrix, blocks), associations(rows.matrix, blocks))


def _unseen(samples: Samples) -> Rows:
    if samples.unseen is None:
        raise UnmeasuredError(UNKNOWN)
    return samples.unseen


_LIKENESS = (
    Measure(
        key="c2st_auc",
        title="C2ST AUC",
        meaning="How well the better of a logistic regression and a random forest tells the rows from real ones that "
        "it has not seen: 0.5 is not at all, 1 is always; well below 0.5 means that rows are repeated.",
        of=lambda samples, rows: c2st_auc(samples.fresh.matrix, rows.matrix, samples.seed),
    ),
    Measure(
        key="columns",
        title="columns, mean distance",
        meaning="How far single columns are from real ones, on average: the largest gap between cumulative shares for "
        "numbers, the share of rows at another level for the rest; 0 is the same.",
        of=_columns,
    ),
    Measure(
        key="pairs",
        title="pairs, mean difference",
        meaning="How far the strength with which two columns go together is from the real one, on average over pairs "
        "(correlation, correlation ratio, Cramér's V); 0 is the same.",
        of=_pairs,
    ),
    Measure(
        key="sliced_wasserstein",
        title="sliced Wasserstein",
        meaning="How far rows must be moved to become real ones, along random directions, in standard deviations; real "
        "rows are not at 0 either, for want of more of them.",
        of=lambda samples, rows: sliced_wasserstein(samples.fresh.matrix, rows.matrix, samples.seed),
    ),
    Measure(
        key="energy",
        title="energy distance",
        meaning="Whether rows are nearer to one another than to real ones: 0 only for the same distribution; real rows "
        "are not at 0 either, for want of more of them.",
        of=lambda samples, rows: energy_distance(samples.fresh.matrix, rows.matrix),
    ),
)

_SPREAD = {
    "precision": "Share of the rows that lie where real rows lie.",
    "recall": "Share of the real rows that lie where these rows lie: low means that kinds of rows are missing.",
    "density": "How densely real rows lie around these rows, beside how they lie around one another: about 1 is alike, "
    "less is off the mark, more is crowded in the middle.",
    "coverage": "Share of the real rows that have one of these rows in their neighbourhood.",
}

_PRIVACY = (
    Measure(
        key="copies",
        title="exact copies",
        meaning="Share of the rows that are learned rows again; beside it, what share of held-out rows are, which "
        "nobody copied.",
        of=lambda samples, rows: copies(_judged(samples, rows).matrix, samples.learned.matrix),
    ),
    Measure(
        key="closest_record",
        title="distance to the closest record",
        meaning="Typical distance to the closest row that the model learned from; beside it, that of held-out rows, "
        "which is what no memory looks like: far less is copying.",
        of=lambda samples, rows: float(np.median(closest(_judged(samples, rows).matrix, samples.learned.matrix))),
    ),
    Measure(
        key="memorised",
        title="nearer to learned rows",
        meaning="How much more often the closest real row is one that the model learned from than its share of them "
        "explains: 0.5 is no memory, 1 is copying.",
        of=lambda samples, rows: memorised(rows.matrix, samples.learned.matrix, _unseen(samples).matrix),
        reference=0.5,
    ),
    Measure(
        key="membership_auc",
        title="membership inference AUC",
        meaning="How well somebody who has these rows guesses which real rows were learned from, by their distance: "
        "0.5 is not at all, 1 is always.",
        of=lambda samples, rows: membership_auc(rows.matrix, samples.learned.matrix, _unseen(samples).matrix),
        reference=0.5,
    ),
)


def _judged(samples: Samples, rows: Rows) -> Rows:
    """Rows that are compared with the learned ones: in the place of those that were learned, unseen ones."""
    return _unseen(samples) if rows is samples.stand_in else rows


def _spread() -> Iterator[Measure]:
    @cache
    def of(samples: Samples, rows: Rows) -> Coverage:
        return coverage(rows.matrix, samples.fresh.matrix)

    for key, meaning in _SPREAD.items():
        yield Measure(
            key=key,
            title=key,
            meaning=meaning,
            of=lambda samples, rows, key=key: getattr(of(samples, rows), key),  # type: ignore[misc]
        )


def _utility(samples: Samples) -> Iterator[Measure]:
    n_classes = len(samples.features.classes)
    scale = f"balanced accuracy, by chance {1 / n_classes:.2f}" if n_classes else "R², by the mean alone 0"
    models = {LINEAR: "a logistic regression" if n_classes else "a ridge regression", FOREST: "a random forest"}
    for model, words in models.items():
        yield Measure(
            key=f"tstr_{model}",
            title=f"TSTR, {words.removeprefix('a ')}",
            meaning=f"How well {words} that learned from these rows predicts the target of real ones ({scale}); beside "
            "it, one that learned from real rows.",
            of=lambda samples, rows, model=model: utility(rows, samples.fresh, model, n_classes, samples.seed),  # type: ignore[misc]
        )
    if n_classes:
        yield Measure(
            key="tstr_qnn",
            title="TSTR, quantum neural network",
            meaning=f"The same of a QNN on at most six principal components ({scale}).",
            of=lambda samples, rows: qnn_utility(rows, samples.fresh, samples.stand_in, n_classes),
        )

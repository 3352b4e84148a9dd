"""The report on synthetic rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qsynth.errors import DataError
from qsynth.files.atomic import atomic_file
from qsynth.quality.associations import associations
from qsynth.quality.column_view import ColumnView, distance, view_column
from qsynth.quality.features import Features, Floats
from qsynth.quality.measures import measures
from qsynth.quality.number import Number
from qsynth.quality.page import page
from qsynth.quality.pair_view import PairView, differing_pairs
from qsynth.quality.samples import MAX_ROWS, Samples
from qsynth.quality.scatter import Scatter
from qsynth.tables.schema import Schema


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """What synthetic rows are worth beside real ones.

    Attributes:
        rows: how many there are of each: real, synthetic, held_out (0: none were given).
        target: the column that is predicted, as text.
        numbers: in the order of the page.
        associations: of the real rows and the synthetic ones, ``columns x columns``.
        scores: qsynth's own score, by whose rows.
        notes: how it was measured, a sentence each.
    """

    rows: Mapping[str, int]
    target: str | None
    numbers: tuple[Number, ...]
    columns: tuple[ColumnView, ...]
    pairs: tuple[PairView, ...]
    associations: tuple[Floats, Floats]
    scatter: Scatter | None
    scores: Mapping[str, float]
    notes: tuple[str, ...]

    def number(self, key: str) -> Number | None:
        """One of the numbers; None: this table has no such number."""
        return next((each for each in self.numbers if each.key == key), None)

    @property
    def summary(self) -> str:
        """What matters most, in one line; of the yardsticks the first is in it."""
        parts = [f"{self.rows['synthetic']:,} synthetic rows beside {self.rows['real']:,} real ones"]
        for key, words, real in (
            ("c2st_auc", "told apart with AUC", "real from real"),
            ("tstr_forest", "a forest that learned from them scores", "from real rows"),
            ("memorised", "nearer to learned than to unseen rows", "no memory"),
        ):
            number = self.number(key)
            if number is not None and number.value is not None:
                known = {real: number.reference, **dict(list(number.beside.items())[:1])}
                beside = ", ".join(f"{name}: {value:.2f}" for name, value in known.items() if value is not None)
                parts.append(f"{words} {number.value:.2f}" + (f" ({beside})" if beside else ""))
        if self.rows["held_out"] == 0:
            parts.append("memorisation unknown without held-out rows")
        return "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Every number, as JSON takes it; None for those that can't be had."""
        names = [view.name for view in self.columns]
        real, synthetic = (matrix.tolist() for matrix in self.associations)
        return {
            "summary": self.summary,
            "rows": dict(self.rows),
            "target": self.target,
            "numbers": {number.key: number.to_dict() for number in self.numbers},
            "columns": [view.to_dict() for view in self.columns],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "associations": {"columns": names, "real": real, "synthetic": synthetic},
            "scores": dict(self.scores),
            "notes": list(self.notes),
        }

    def to_html(self, path: Path | str) -> None:
        """Write one page with its pictures inside, that loads nothing and runs nothing.

        Raises:
            FileError: it can't be written.
        """
        title = "What the synthetic rows are worth"
        text = page(
            title=title,
            summary=self.summary,
            numbers=self.numbers,
            columns=self.columns,
            pairs=self.pairs,
            associations=self.associations,
            scatter=self.scatter,
            scores=self.scores,
            notes=self.notes,
        )
        with atomic_file(Path(path)) as file:
            file.write(text.encode("utf-8", errors="replace"))


def assess(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    held_out: pd.DataFrame | None = None,
    seed: int = 0,
    yardsticks: Mapping[str, pd.DataFrame] | None = None,
    scores: Mapping[str, float] | None = None,
) -> QualityReport:
    """Measure synthetic rows against real ones; what can't be measured is None in the report, with the reason.

    Args:
        real: rows that the model saw.
        held_out: real rows that it did not see. Without any, likeness is measured against one half of the real rows,
            and memorisation is unknown.
        yardsticks: rows of simple models, by name, measured as the synthetic ones are.
        scores: qsynth's own score of each, by name.

    Raises:
        DataError: a table without rows, or without a column of the schema.
    """
    held_out = None if held_out is None or not len(held_out) else held_out
    yardsticks = yardsticks or {}
    for name, frame in {"real": real, "synthetic": synthetic, "held-out": held_out, **yardsticks}.items():
        if frame is not None:
            _check(name, frame, schema)
    features = Features.of(real, schema)
    samples = Samples.of(features, real, synthetic, held_out, yardsticks, seed)
    blocks = features.blocks
    found = (associations(samples.learned.matrix, blocks), associations(samples.shown.matrix, blocks))
    fresh, in_place, drawn = samples.fresh.frame, samples.stand_in.frame, samples.synthetic.frame
    views = []
    for block in blocks:
        distances = [distance(block, fresh, side) for side in (drawn, in_place)]
        views.append(view_column(block, samples.learned.frame, samples.shown.frame, distances))
    return QualityReport(
        rows={"real": len(real), "synthetic": len(synthetic), "held_out": 0 if held_out is None else len(held_out)},
        target=None if features.target is None else features.target.name,
        numbers=tuple(measure.number(samples) for measure in measures(samples)),
        columns=tuple(views),
        pairs=differing_pairs([view.name for view in views], *found),
        associations=found,
        scatter=Scatter.of(samples),
        scores={name: float(score) for name, score in (scores or {}).items() if np.isfinite(score)},
        notes=tuple(_notes(samples, schema)),
    )


def _check(name: str, frame: pd.DataFrame, schema: Schema) -> None:
    if not len(frame):
        raise DataError(f"{name} rows must be one or more; got none")
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{name} rows must have each column once; got {repeated!r} again")
    missing = [column.name for column in schema.columns if column.name not in frame.columns]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"{name} rows must have the column {missing[0]!r}{more}; got {list(map(str, frame.columns))[:8]}"
        )


def _notes(samples: Samples, schema: Schema) -> list[str]:
    size, n_fresh = len(samples.stand_in), len(samples.fresh)
    if samples.unseen is None:
        notes = [
            "No held-out rows were given: real rows were split in halves, the rows under judgement were compared with "
            f"one half ({n_fresh:,} rows), and real-on-real numbers are of the other half ({size:,} rows).",
            "The model may have seen both halves, so its numbers may be better than they would be on new rows; whether "
            "it memorised rows is unknown.",
        ]
    else:
        notes = [
            f"Rows under judgement were compared with {n_fresh:,} held-out rows; real-on-real numbers are of {size:,} "
            "rows that the model learned from."
        ]
    notes.append(
        "Intervals (95 %) are for other rows to test on, with what was learned as it is: DeLong's for areas, the "
        "binomial one for shares, the bootstrap for R². Distances have none: rows that are drawn again repeat each "
        "other, which moves a distance by itself. Nor have numbers that hang on which real rows were learned."
    )
    notes.append(f"All rows under judgement were cut to the same {size:,}; no sample is over {MAX_ROWS:,} rows.")
    notes.append(
        "Numbers are over the real rows' standard deviation; columns without an order are an indicator for each of "
        "their 30 most frequent levels; ids are left out."
    )
    ids = [str(column.name) for column in schema.columns if column.kind == "id"]
    return notes + ([f"Left out as ids: {', '.join(ids)}."] if ids else [])

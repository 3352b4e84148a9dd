"""What has been learned of a user's table, and makes rows in its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from qsynth.config import parse
from qsynth.data.labels import stratified
from qsynth.errors import StudyError
from qsynth.rng import checked_seed, derived_seed
from qsynth.synthesis.conditions import Condition, conditions
from qsynth.synthesis.makers import MAKERS, Maker
from qsynth.synthesis.scores import Calibration, TableScores, calibration_labels
from qsynth.tables.schema import Schema

CALIBRATION_SEED = 1 << 40
MOST_DRAWN = 1000  # rows, for each one asked for, before conditions count as not to be met
FEWEST_DRAWN = 20_000
STEP = 8192

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class TableModel:
    """A table's schema, its columns' distributions, and what makes them go together.

    Attributes:
        shares: ``classes``, of the table's rows.
        method: what made the scores, by name.
    """

    schema: Schema
    columns: TableScores
    maker: Maker
    calibration: Calibration
    shares: Floats
    method: str

    @classmethod
    def of(cls, schema: Schema, columns: TableScores, maker: Maker, shares: Floats, method: str) -> Self:
        """With the maker calibrated by many of its rows."""
        labels = calibration_labels(len(shares))
        calibration = Calibration.fit(maker.scores(labels, CALIBRATION_SEED), labels, len(shares))
        return cls(schema=schema, columns=columns, maker=maker, calibration=calibration, shares=shares, method=method)

    def scores(self, labels: Labels, seed: int) -> Floats:
        """Calibrated scores (``n x p``) for class indices (``n``)."""
        return np.asarray(ndtri(self.calibration.shares(self.maker.scores(labels, seed), labels)))

    def sample(self, n_rows: int, where: Mapping[str | int, object] | None, seed: int) -> pd.DataFrame:
        """Rows in the form of the table.

        Raises:
            StudyError: conditions that can't be met, or not by enough of the rows that the model makes.
        """
        wanted = conditions(where, self.schema)
        allowed = self._classes(wanted)
        rest = [each for each in wanted if not self._is_class(each)]
        if not rest:
            numbers, labels = self._rows(n_rows, allowed, checked_seed(seed))
            return self.schema.decode(numbers, labels, seed)
        places = {column.name: place for place, column in enumerate(self.schema.modelled)}
        parts: list[tuple[Floats, Labels]] = []
        found = drawn = 0
        while found < n_rows:
            if drawn >= max(MOST_DRAWN * n_rows, FEWEST_DRAWN) or (drawn >= FEWEST_DRAWN and not found):
                raise StudyError(
                    f"where must be met by rows that the model makes; {found} of {drawn:,} met "
                    f"{' and '.join(each.text for each in rest)}. Ask for fewer rows, or for a wider range."
                )
            numbers, labels = self._rows(STEP, allowed, derived_seed(seed, drawn))
            met = np.logical_and.reduce([each.met(numbers[:, places[each.column.name]]) for each in rest])
            parts.append((numbers[met], labels[met]))
            found, drawn = found + int(met.sum()), drawn + STEP
        numbers, labels = (np.concatenate(each)[:n_rows] for each in zip(*parts, strict=True))
        return self.schema.decode(numbers, labels, seed)

    def _rows(self, n_rows: int, allowed: NDArray[np.bool_], seed: int) -> tuple[Floats, Labels]:
        """Numbers (``n x columns``) and class indices (``n``) of rows of the classes that are allowed."""
        shares = np.where(allowed, self.shares, 0.0)
        labels = stratified(shares / shares.sum(), n_rows)
        return self.columns.inverse(self.calibration.shares(self.maker.scores(labels, seed), labels), labels), labels

    def _is_class(self, condition: Condition) -> bool:
        return condition.column.name == self.schema.target and len(self.shares) > 1

    def _classes(self, wanted: list[Condition]) -> NDArray[np.bool_]:
        """Which classes (``classes``) the conditions allow."""
        allowed = np.ones(len(self.shares), dtype=bool)
        for condition in wanted:
            if self._is_class(condition):
                codes = np.arange(len(self.shares), dtype=np.float64)
                values = condition.values
                inside = (codes >= condition.low) & (codes <= condition.high)
                allowed &= inside if values is None else np.isin(codes, values)
        return allowed

    def description(self) -> dict[str, object]:
        """What was learned, and how."""
        return {"schema": self.schema.model_dump(mode="json"), "method": self.method}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON, lossless."""
        tensors, about = self.maker.state()
        return tensors, {
            "kind": "table",
            "schema": self.schema.model_dump(mode="json"),
            "columns": self.columns.to_dict(),
            "maker": {"kind": self.maker.kind, **about},
            "quantiles": self.calibration.quantiles.tolist(),
            "shares": self.shares.tolist(),
            "method": self.method,
        }

    @classmethod
    def of_state(cls, tensors: Mapping[str, Tensor], about: Mapping[str, Any], source: str) -> Self:
        """The model that :meth:`state` described.

        Raises:
            QsynthError, ValueError, TypeError or KeyError: the state isn't one of those.
        """
        columns, shares = TableScores.from_dict(about["columns"]), np.array(about["shares"], dtype=np.float64)
        schema = parse(Schema, about["schema"], source=source)
        maker = MAKERS[about["maker"]["kind"]].of_state(tensors, about["maker"], source)
        quantiles = np.array(about["quantiles"], dtype=np.float64)
        if quantiles.ndim != 3 or quantiles.shape[:2] != (len(shares), columns.n_scores):
            raise ValueError(f"quantiles of shape {quantiles.shape}")
        if not np.isfinite(quantiles).all() or (np.diff(quantiles) < 0).any() or not np.isfinite(shares).all():
            raise ValueError("quantiles or shares that are none")
        if len(schema.modelled) != columns.n_columns or not len(shares) == len(schema.classes) == len(columns.margins):
            raise ValueError("a schema of other columns or classes")
        if (shares < 0).any() or not 0.99 < shares.sum() < 1.01:
            raise ValueError(f"shares of the classes must add up to 1; got {shares.sum():g}")
        model = cls(
            schema=schema,
            columns=columns,
            maker=maker,
            calibration=Calibration(quantiles),
            shares=shares,
            method=str(about["method"]),
        )
        # What does not go together is found here, not when it is used.
        labels = np.arange(len(shares), dtype=np.int64)
        numbers = columns.inverse(model.calibration.shares(maker.scores(labels, 0), labels), labels)
        schema.decode(numbers, labels, 0)
        return model

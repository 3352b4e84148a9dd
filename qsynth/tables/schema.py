"""What a table is: its columns in order and its target; rows to numbers and back."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, model_validator

from qsynth.config import Config, parse
from qsynth.errors import DataError, FileError, StudyError, did_you_mean
from qsynth.rng import checked_seed
from qsynth.tables.columns import BooleanColumn, CategoryColumn, Column, ConstantColumn, IdColumn, Numbers

UNLABELLED = ("all",)
MAX_CLASSES = 200


class Schema(Config):
    """A table's columns and target.

    Attributes:
        columns: in the table's order.
        target: name of the column that rows are conditioned on; None when there is none.
        n_rows: how many rows it was learned from.
    """

    columns: tuple[Column, ...] = Field(min_length=1)
    target: StrictStr | StrictInt | None = None
    n_rows: StrictInt = Field(ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [column.name for column in self.columns]
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise DataError(f"column names must differ; got {repeated[0]!r} {names.count(repeated[0])} times")
        if self.target is not None:
            target = self._target
            if target is None:
                known = did_you_mean(str(self.target), [str(name) for name in names])
                raise StudyError(f"target must name a column; got {self.target!r}.{known}")
            if isinstance(target, ConstantColumn | IdColumn):
                raise DataError(f"target {self.target!r} must be a column of classes or numbers; got {target.kind}s")
            if not 2 <= (target.counts or 2) <= MAX_CLASSES:
                raise DataError(f"target {self.target!r} must have 2 to {MAX_CLASSES} classes; got {target.counts}")
        return self

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The schema in a JSON text that ``model_dump_json`` wrote.

        Raises:
            QsynthError: it is no such text, or not one that describes a table.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FileError(f"a schema must be JSON: {' '.join(str(error).split())[:120]}") from None
        return parse(cls, content, source="schema")

    @cached_property
    def _target(self) -> Column | None:
        return next((column for column in self.columns if self.target is not None and column.name == self.target), None)

    @cached_property
    def _labelling(self) -> BooleanColumn | CategoryColumn | None:
        """The target, if it has classes."""
        return self._target if isinstance(self._target, BooleanColumn | CategoryColumn) else None

    @cached_property
    def modelled(self) -> tuple[Column, ...]:
        """The columns that are learned as numbers."""
        return tuple(column for column in self.columns if column.modelled and column is not self._labelling)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the target's classes in the order of their numbers; ``("all",)`` when it has none."""
        if isinstance(self._labelling, CategoryColumn):
            return tuple(str(value) for value in self._labelling.categories)
        return ("False", "True") if self._labelling is not None else UNLABELLED

    def column(self, name: str | int) -> Column:
        """A column by its name, or its name as text.

        Raises:
            StudyError: there is none.
        """
        for column in self.columns:
            if column.name == name or str(column.name) == str(name):
                return column
        known = [str(column.name) for column in self.columns]
        raise StudyError(f"the table has no column {name!r}.{did_you_mean(str(name), known)}")

    def labelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows whose target is not missing."""
        if self.target is None or self.target not in frame.columns:
            return frame
        return frame[frame[self.target].notna()]

    def labels(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Class numbers (n), zeros when there is one class.

        Raises:
            DataError: an unknown class, or a row without one.
        """
        if self._labelling is None:
            return np.zeros(len(frame), dtype=np.int64)
        codes = self._labelling.encode(self._series(frame, self._labelling))
        if n_missing := int(np.isnan(codes).sum()):
            raise DataError(f"target {self.target!r} must not be missing; got {n_missing} rows without it")
        return codes.astype(np.int64)

    def encode(self, frame: pd.DataFrame) -> Numbers:
        """Rows as numbers (n x modelled columns), NaN where missing.

        Raises:
            DataError: a column is missing, or holds what it can't hold by this schema.
        """
        if not self.modelled:
            return np.empty((len(frame), 0))
        return np.column_stack([column.encode(self._series(frame, column)) for column in self.modelled])

    def decode(self, numbers: Numbers, labels: NDArray[np.int64], seed: int) -> pd.DataFrame:
        """Rows in the table's own form.

        Args:
            numbers: n x modelled columns, NaN where missing.
            labels: n class numbers.
            seed: of the ids, which are made anew.

        Raises:
            DataError: a missing value in a column that had none, or a class that there is not.
        """
        labels = np.asarray(labels, dtype=np.int64)
        if numbers.shape != (len(labels), len(self.modelled)):
            raise DataError(f"numbers must be {len(labels)} x {len(self.modelled)}; got {numbers.shape}")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
            raise DataError(f"labels must be within 0..{len(self.classes) - 1}; got {labels.min()}..{labels.max()}")
        rng = np.random.default_rng(checked_seed(seed))
        coded = iter(np.asarray(numbers, dtype=np.float64).T)
        made = []
        for column in self.columns:
            if isinstance(column, IdColumn):
                made.append(column.make(len(labels), rng))
            elif isinstance(column, ConstantColumn):
                made.append(column.decode(np.zeros(len(labels))))
            elif column is self._labelling:
                made.append(column.decode(labels.astype(np.float64)))
            else:
                made.append(column.decode(next(coded)))
        frame = pd.concat([series.reset_index(drop=True) for series in made], axis=1)
        frame.columns = pd.Index([column.name for column in self.columns])
        return frame

    def check(self, frame: pd.DataFrame) -> None:
        """Whether a table is of this form: names, order, dtypes, ranges, steps and categories.

        Raises:
            DataError: it is not; one line that names the column.
        """
        expected = [column.name for column in self.columns]
        if (found := list(frame.columns)) != expected:
            raise DataError(f"columns must be {_shortened(expected)}; got {_shortened(found)}")
        for column in self.columns:
            column.check(frame[column.name])

    def _series(self, frame: pd.DataFrame, column: Column) -> pd.Series:
        name = column.name
        if name not in frame.columns:
            known = did_you_mean(str(name), [str(each) for each in frame.columns])
            raise DataError(f"the table must have a column {name!r}; got none.{known}")
        if (count := int((frame.columns == name).sum())) > 1:
            raise DataError(f"column names must differ; got {name!r} {count} times")
        return frame[name]


def _shortened(names: Sequence[str | int]) -> str:
    return ", ".join(repr(name)[:30] for name in names[:6]) + (f", ... ({len(names)})" if len(names) > 6 else "")

"""Tables as families of instances: the bundled ones, and the user's own files."""

import os
from abc import abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from qsynth.data.bundled import TABLES
from qsynth.data.dataset import Instance, Split, instance_key, instance_stream
from qsynth.data.scaling import Scaling
from qsynth.data.source import DataSource
from qsynth.data.table import SMALLEST_TRAIN, Indices, Table, partition
from qsynth.data.table_file import read_table
from qsynth.errors import FileError, StudyError

Fraction = Annotated[float, Field(ge=0.05, le=0.4)]


class PartitionedTable(DataSource):
    """How a table becomes instances.

    Attributes:
        n_features: principal components to keep when the table has more columns; None keeps all columns.
        n_train: rows of ``train`` and of ``reserve``, fewer when the table is too small for both.
        validation_share: share of the table's rows (at most 4,096 rows), drawn by the instance's seed.
        test_share: share of the table's rows (at most 4,096 rows), the same rows in every instance.
    """

    n_features: Annotated[int, Field(ge=1, le=1000)] | None
    n_train: Annotated[int, Field(ge=SMALLEST_TRAIN, le=100_000)] = 100
    validation_share: Fraction = 0.2
    test_share: Fraction = 0.2

    @abstractmethod
    def table(self) -> Table:
        """All rows, read once per process.

        Raises:
            QsynthError: the table can't be read or can't be used.
        """

    def table_of(self, seed: int, held_out: bool) -> Table:
        """The table that one instance is a part of: the only one, unless a family says otherwise.

        Raises:
            QsynthError: as :meth:`table`, or a negative seed.
        """
        return self.table()

    @abstractmethod
    def scaling(self, table: Table, rows: NDArray[np.float64]) -> Scaling:
        """The map to the generator's range, learned from training ``rows`` (``n x columns``) of ``table``."""

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """Height and width of rows that are images."""
        return None

    @property
    def width(self) -> int:
        """d of the scaled space.

        Raises:
            QsynthError: as :meth:`table`.
        """
        n_columns = len(self.table().feature_names)
        return n_columns if self.n_features is None else min(self.n_features, n_columns)

    def instance(self, seed: int, held_out: bool) -> Instance:
        """The table, split by this seed and scaled by its training rows.

        Raises:
            QsynthError: a negative seed, or the table is too small (see :func:`qsynth.data.table.partition`).
        """
        table = self.table_of(seed, held_out)
        rng = instance_stream(seed, held_out, use=0)
        rows = partition(table, self.n_train, self.validation_share, self.test_share, rng)
        scaling = self.scaling(table, table.x[rows.train])

        def part(indices: Indices) -> Split:
            return Split(scaling.forward(table.x[indices]), table.y[indices])

        return Instance(
            key=instance_key(self.title, seed, held_out),
            train=part(rows.train),
            reserve=part(rows.reserve),
            validation=part(rows.validation),
            test=part(rows.test),
            class_names=table.class_names,
            feature_names=table.feature_names,
            scaling=scaling,
            image_shape=self.image_shape,
        )


class TabularConfig(PartitionedTable):
    """How a table of measurements becomes instances.

    Attributes:
        transform: ``pit`` takes each column through its empirical distribution to normal scores first (see
            :mod:`qsynth.data.marginal`), so that skewed columns, columns of several humps and heavy tails all look
            normal to the generator; what is left to learn is how the columns go together, their copula.
    """

    n_features: Annotated[int, Field(ge=1, le=1000)] | None = 4
    transform: Literal["standard", "pit"] = "standard"

    def scaling(self, table: Table, rows: NDArray[np.float64]) -> Scaling:
        return Scaling.fit(rows, self.width, table.log_offsets, marginals=self.transform == "pit")


class TableData(TabularConfig):
    """A registered table: iris, wine, breast_cancer, qubit_calibrations, or one entered in ``TABLES``."""

    kind: Literal["table"] = "table"
    name: str

    @field_validator("name")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        _ = TABLES[name]
        return name

    @property
    def title(self) -> str:
        return self.name

    def table(self) -> Table:
        return _registered(self.name)


class CsvData(TabularConfig):
    """A CSV or Parquet file: numeric feature columns and, optionally, a column of classes.

    Attributes:
        path: ends in ``.csv`` or ``.parquet``; ``~`` is the home directory. A relative one begins in a study's file at
            that file's folder, and elsewhere at the working directory.
        label: name of the column that holds the classes; None when there is none.
    """

    kind: Literal["csv"] = "csv"
    path: str
    label: str | None = None

    @field_validator("label", mode="before")
    @classmethod
    def _quoted(cls, label: object) -> object:
        """``label: no`` is a truth in YAML."""
        if isinstance(label, bool):
            raise StudyError(f"YAML reads yes, no, on and off as truths: write the name in quotes; got {label}")
        return label

    @property
    def title(self) -> str:
        return Path(self.path).stem

    @property
    def file(self) -> Path:
        """The path without ``~``."""
        return Path(os.path.expanduser(self.path))

    def below(self, folder: Path) -> Self:
        """The same file when its path, unless it is absolute, begins at ``folder``."""
        return self.replaced(path=str((folder / self.file).absolute()))

    def table(self) -> Table:
        path = self.file
        try:
            state = path.stat()
        except (OSError, ValueError):
            raise FileError(f"a table's path must be an existing file; got {self.path!r}") from None
        return _from_file(path, self.label, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _registered(name: str) -> Table:
    return TABLES[name]()


@lru_cache(maxsize=4)
def _from_file(path: Path, label: str | None, modified_ns: int, n_bytes: int) -> Table:
    """``modified_ns`` and ``n_bytes`` make a changed file another table."""
    return read_table(path, label)

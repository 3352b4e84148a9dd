"""Where instances come from, and where synthetic rows go."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from qsynth.config import Kinds
from qsynth.data.dataset import Instance
from qsynth.data.discrete import DiscreteData
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.images import DigitImages
from qsynth.data.mixtures import MixtureFamily
from qsynth.data.quantum.bitstrings import GroundStateBits
from qsynth.data.quantum.source import QuantumData
from qsynth.data.shapes import ShapeFamily
from qsynth.data.source import DataSource
from qsynth.data.table_file import LABEL_COLUMN
from qsynth.data.tabular import CsvData, TableData
from qsynth.errors import DataError
from qsynth.files.csv_file import write_csv

SOURCES: Kinds[DataSource] = Kinds("data source")
SOURCES.register("gaussian")(GaussianFamily)
SOURCES.register("discrete")(DiscreteData)
SOURCES.register("table")(TableData)
SOURCES.register("mixtures")(MixtureFamily)
SOURCES.register("shapes")(ShapeFamily)
SOURCES.register("csv")(CsvData)
SOURCES.register("digits")(DigitImages)
SOURCES.register("quantum")(QuantumData)
SOURCES.register("bitstrings")(GroundStateBits)

DataConfig = Annotated[DataSource, SOURCES]


def write_rows(path: str | Path, rows: ArrayLike, labels: ArrayLike, instance: Instance) -> None:
    """Write rows as CSV under the original column names, with the class names in a last column ``label``.

    The file appears whole or not at all, and replaces an older one.

    Args:
        path: the CSV file; its directory must exist.
        rows: ``n x columns`` in original units (``instance.scaling.inverse`` of generated rows).
        labels: ``n`` integers, indices into ``instance.class_names``.
        instance: what the rows imitate.

    Raises:
        QsynthError: other shapes, unknown classes, or the file can't be written.
    """
    values, classes = np.asarray(rows, dtype=np.float64), np.asarray(labels)
    n_columns = len(instance.feature_names)
    if values.ndim != 2 or values.shape[1] != n_columns:
        raise DataError(f"rows must have the {n_columns} original columns; got shape {values.shape}")
    if classes.shape != values.shape[:1] or not np.issubdtype(classes.dtype, np.integer):
        raise DataError(f"labels must be {len(values)} integers; got {classes.dtype} of shape {classes.shape}")
    if len(classes) and (classes.min() < 0 or classes.max() >= instance.n_classes):
        raise DataError(f"labels must lie in 0..{instance.n_classes - 1}; got {classes.min()}..{classes.max()}")
    frame = pd.DataFrame(values, columns=list(instance.feature_names))
    frame[LABEL_COLUMN] = np.array(instance.class_names, dtype=object)[classes]
    write_csv(frame, Path(path))

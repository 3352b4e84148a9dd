"""Data sets as MLflow lists them beside a run: name, digest, columns, size, and where they are."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.data.sources import DataConfig
from qsynth.data.table_file import LABEL_COLUMN
from qsynth.data.tabular import CsvData, PartitionedTable

DIGEST_LENGTH = 12


@dataclass(frozen=True, kw_only=True)
class DatasetInput:
    """One data set; ``source``, ``schema`` and ``profile`` are JSON in the forms of MLflow's own data sets.

    Attributes:
        digest: tells contents apart.
        source_type: ``local`` for a file, ``code`` for data that a program makes.
        context: what it was used for.
    """

    name: str
    digest: str
    source_type: str
    source: str
    schema: str
    profile: str
    context: str


def real_dataset(data: DataConfig) -> DatasetInput:
    """What a study learns from: a table with all its rows, or a family of targets that code draws.

    Raises:
        QsynthError: the table can't be read.
    """
    title = data.title
    if not isinstance(data, PartitionedTable):
        columns, settings = data.instance(0, held_out=False).feature_names, data.model_dump_json()
        digest = _digest(settings.encode())
        return DatasetInput(
            name=title,
            digest=digest,
            source_type="code",
            source=_made_by(settings),
            schema=_schema(columns),
            profile="{}",
            context="training",
        )
    table = data.table()
    names = json.dumps([table.feature_names, table.class_names]).encode()
    digest = _digest(names, np.ascontiguousarray(table.x).tobytes(), np.ascontiguousarray(table.y).tobytes())
    source_type, source, label = "code", _made_by(title), LABEL_COLUMN
    if isinstance(data, CsvData):
        source_type, source, label = "local", _file(data.file), data.label or LABEL_COLUMN
    labels = (label,) if len(table.class_names) > 1 else ()
    profile = _profile(len(table.x), len(table.feature_names) + len(labels))
    return DatasetInput(
        name=title,
        digest=digest,
        source_type=source_type,
        source=source,
        schema=_schema(table.feature_names, *labels),
        profile=profile,
        context="training",
    )


def synthetic_dataset(path: Path, name: str, n_rows: int, instance: Instance) -> DatasetInput:
    """A CSV file of synthetic rows that imitate ``instance``."""
    profile = _profile(n_rows, len(instance.feature_names) + 1)
    schema = _schema(instance.feature_names, LABEL_COLUMN)
    return DatasetInput(
        name=name,
        digest=_digest(path.read_bytes()),
        source_type="local",
        source=_file(path),
        schema=schema,
        profile=profile,
        context="synthetic",
    )


def _made_by(what: str) -> str:
    return json.dumps({"tags": {"mlflow.source.name": f"qsynth: {what}"}})


def _file(path: Path) -> str:
    return json.dumps({"uri": str(path.absolute())})


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:DIGEST_LENGTH]


def _schema(numbers: Sequence[str], *texts: str) -> str:
    specs = [{"type": "double", "name": name, "required": True} for name in numbers]
    specs += [{"type": "string", "name": name, "required": True} for name in texts]
    return json.dumps({"mlflow_colspec": specs})


def _profile(n_rows: int, n_columns: int) -> str:
    return json.dumps({"num_rows": n_rows, "num_elements": n_rows * n_columns})

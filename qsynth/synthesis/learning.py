"""From what a caller hands in to a model of a table."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from qsynth.data.dataset import Instance
from qsynth.errors import DataError, StudyError
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.diary import Diary
from qsynth.synthesis.table_fit import fit_table
from qsynth.synthesis.table_model import TableModel
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import Rows, read_rows
from qsynth.tables.schema import Schema

SCORE = "score."  # in the last entry of the history, before a name


def rows_of(data: object, target: str | int | None = None) -> Rows:
    """Rows, and what was noticed when a file was read, now or before.

    Raises:
        DataError: neither rows nor a file of rows.
        FileError: a file that can't be read.
    """
    if isinstance(data, Rows):
        return data
    if isinstance(data, pd.DataFrame):
        return Rows(data, ())
    if isinstance(data, Path | str):
        return read_rows(data, target if isinstance(target, str) else None)
    raise DataError(
        "data must be a DataFrame, a file's path, or a source such as TableData(name='iris'); got a "
        f"{type(data).__name__}"
    )


def learn_table(
    rows: Rows,
    target: str | int | None,
    schema: Schema | None,
    config: TrialConfig,
    method: str,
    seed: int,
    diary: Diary,
    train: Callable[[TrialConfig, Instance], Snapshot],
) -> TableModel:
    """Say what is noticed, learn, and say how it went.

    Raises:
        QsynthError: rows or a schema that can't be used, or training diverged.
    """
    remarks = rows.remarks
    if schema is None:
        schema, more = infer_schema(rows.frame, target)
        remarks = (*remarks, *more)
    elif target is not None and target != schema.target:
        raise StudyError(f"target must be the schema's, {schema.target!r}, or left out; got {target!r}")
    for remark in remarks:
        diary.note(remark.line)
    done = fit_table(schema.labelled(rows.frame), schema, config, method, seed, train)
    for note in done.notes:
        diary.note(note)
    if done.scores:
        iteration = {"iteration": diary.history[-1]["iteration"] if diary.history else 0.0}
        diary.history.append(iteration | {f"{SCORE}{name}": value for name, value in done.scores.items()})
        shown = ", ".join(f"{name} {value:.3f}" for name, value in done.scores.items())
        diary.note(f"score on the rows kept back (a second real sample: 1): {shown}")
    return done.model

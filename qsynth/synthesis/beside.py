"""Rows of yardsticks in the form of a table, to lay beside synthetic ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from qsynth.data.dataset import Split
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.synthesis.scores import TableScores
from qsynth.synthesis.table_fit import FEWEST_ROWS
from qsynth.synthesis.two_parts import two_part_instance
from qsynth.tables.schema import Schema
from qsynth.yardsticks.registry import YARDSTICKS

SHOWN, AGAIN = ("Gaussian mixture", "kernel density", "SMOTE"), "duplication"
SPREAD = 1 << 24  # of the random numbers that spread values that many rows share


def yardstick_rows(schema: Schema, real: pd.DataFrame, n_rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """Rows of each yardstick that learned the real rows, through the columns' distributions as a model does, by name.

    None of fewer than eight rows that have a target, or where there is no column to learn.

    Raises:
        DataError: rows of another form than the schema's.
    """
    frame = schema.labelled(real)
    if len(frame) < FEWEST_ROWS or not schema.modelled:
        return {}
    numbers, labels = schema.encode(frame), schema.labels(frame)
    n_classes = len(schema.classes)
    columns = TableScores.fit(numbers, labels, [column.nominal for column in schema.modelled], n_classes)
    scores = columns.forward(numbers, labels, np.random.default_rng([seed, SPREAD]))
    learned = Split(scores.astype(np.float32), labels)
    instance = two_part_instance(learned, learned, schema.classes, Scaling.identity(columns.n_scores))
    wanted = stratified(np.bincount(labels, minlength=n_classes) / len(labels), n_rows)
    made = {}
    for name in SHOWN:
        drawn = YARDSTICKS[name].fit(instance, seed).sample(wanted, seed)
        made[name] = columns.inverse(ndtr(drawn.astype(np.float64)), wanted)
    places = replace(instance, train=Split(np.arange(len(labels), dtype=np.float32)[:, None], labels))
    chosen = YARDSTICKS[AGAIN].fit(places, seed).sample(wanted, seed)[:, 0].astype(np.int64)
    made[AGAIN] = numbers[chosen]  # as they are: on the way through scores their values would move
    return {name: schema.decode(rows, wanted, seed) for name, rows in made.items()}

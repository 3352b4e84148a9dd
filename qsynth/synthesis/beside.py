"""Rows of yardsticks in the form of a table, to lay beside a model's."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from qsynth.data.dataset import Split
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.synthesis.table_model import TableModel
from qsynth.synthesis.two_parts import two_part_instance
from qsynth.yardsticks.registry import YARDSTICKS

SHOWN = ("Gaussian mixture", "kernel density", "SMOTE", "duplication")
SPREAD = 1 << 24  # of the random numbers that spread values that many rows share


def yardstick_rows(model: TableModel, frame: pd.DataFrame, n_rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """Rows of each yardstick that learned the same rows, through the same columns' distributions, by name.

    Raises:
        DataError: rows of another form than the model's.
    """
    schema, columns = model.schema, model.columns
    labels = schema.labels(frame)
    scores = columns.forward(schema.encode(frame), labels, np.random.default_rng([seed, SPREAD]))
    learned = Split(scores.astype(np.float32), labels)
    instance = two_part_instance(learned, learned, schema.classes, Scaling.identity(columns.n_scores))
    wanted = stratified(model.shares, n_rows)
    found = {}
    for name in SHOWN:
        made = YARDSTICKS[name].fit(instance, seed).sample(wanted, seed)
        numbers = columns.inverse(ndtr(made.astype(np.float64)), wanted)
        found[name] = schema.decode(numbers, wanted, seed)
    return found

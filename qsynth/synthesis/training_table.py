"""What a classifier is trained on: real rows, synthetic ones with soft labels, and weights."""

import numpy as np
import pandas as pd

from qsynth.errors import DataError, StudyError
from qsynth.quality.features import Features
from qsynth.rng import derived_seed
from qsynth.synthesis.soft_labels import equal_classes, soft_labels
from qsynth.synthesis.table_model import TableModel

SYNTHETIC, WEIGHT = "synthetic", "weight"
SHARE = 0.5  # of the weight, that synthetic rows have


def training_table(model: TableModel, real: pd.DataFrame, n_rows: int, seed: int) -> pd.DataFrame:
    """Real rows and ``n_rows`` synthetic ones, every class alike, in the form that measured best for a QNN.

    Ids are left out. Instead of the target there is a column ``TARGET=CLASS`` for each class, with its probability: 1
    or 0 for real rows; for synthetic ones what a logistic regression on the real rows says, classes weighted equally.
    ``weight`` sums to 1; synthetic rows have half of it, and in both parts every class has the same. ``synthetic`` says
    which are which.

    Args:
        real: the rows that the model has learned, or others of their form.

    Raises:
        StudyError: a model without classes, or fewer rows than classes.
        DataError: rows of fewer than two classes, or with columns of those names.
    """
    schema = model.schema
    target, n_classes = schema.target, len(schema.classes)
    if target is None or n_classes < 2:
        raise StudyError("a training table needs a model that was fitted with a target of classes; this one has none")
    if n_rows < n_classes:
        raise StudyError(f"n_rows must be at least one a class, {n_classes}; got {n_rows}")
    frame = schema.labelled(real).reset_index(drop=True)
    labels = schema.labels(frame)
    if len(np.unique(labels)) < 2:
        raise DataError(f"a training table needs real rows of two classes or more; got {len(np.unique(labels))}")
    made = _evenly(model, n_rows, seed)
    features = Features.of(frame, schema)
    own, other = (features.inputs(features.matrix(each)) for each in (frame, made))
    hard, soft = np.eye(n_classes)[labels], soft_labels(own, labels, n_classes, other)
    weight = np.concatenate([(1 - SHARE) * equal_classes(hard), SHARE * equal_classes(soft)])
    names = [f"{target}={name}" for name in schema.classes]
    left_out = [target, *(column.name for column in schema.columns if column.kind == "id")]
    table = pd.concat([frame, made], ignore_index=True).drop(columns=left_out)
    added = [*names, WEIGHT, SYNTHETIC]
    if taken := [name for name in added if name in table.columns]:
        raise DataError(f"a training table adds a column {taken[0]!r}, which the rows must not have")
    table[names] = np.concatenate([hard, soft])
    table[WEIGHT] = weight
    table[SYNTHETIC] = np.arange(len(table)) >= len(frame)
    return table


def _evenly(model: TableModel, n_rows: int, seed: int) -> pd.DataFrame:
    """Synthetic rows, as many of each class as of the others, or one more."""
    classes, parts = model.schema.classes, []
    for place, name in enumerate(classes):
        size = n_rows // len(classes) + (place < n_rows % len(classes))
        own = derived_seed(seed, place)
        parts.append(model.sample(size, {model.schema.target: name}, own))  # type: ignore[dict-item]  # it has one
    return pd.concat(parts, ignore_index=True)

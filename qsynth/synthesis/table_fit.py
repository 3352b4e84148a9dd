"""From a table to a model of it, measured beside the yardsticks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from qsynth.data.dataset import Instance, Split
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.errors import DataError
from qsynth.execution.compilation import eager
from qsynth.metrics.score import ScoreConfig
from qsynth.population.measures import Measures
from qsynth.population.snapshot import Snapshot
from qsynth.population.trained_generator import TrainedGenerator
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.latent import Latent
from qsynth.synthesis.makers import CircuitScores, GaussianScores, Maker
from qsynth.synthesis.reconstruction import reconstruction_auc
from qsynth.synthesis.scores import TableScores
from qsynth.synthesis.table_model import TableModel
from qsynth.synthesis.two_parts import two_part_instance
from qsynth.tables.schema import Schema
from qsynth.yardsticks.gaussians import Gaussians
from qsynth.yardsticks.registry import YARDSTICKS
from qsynth.yardsticks.yardstick import ByClass

QUANTUM, AUTO = "quantum", "auto"
BESIDE = ("Gaussian mixture", "tied Gaussian", "kernel density", "SMOTE", "duplication")
LAWS = ("Gaussian mixture", "tied Gaussian", "kernel density")  # that a model's file can hold
METHODS = (QUANTUM, AUTO, *LAWS)
VALIDATION_SHARE = 0.2
MOST_VALIDATION = 2048
FEWEST_ROWS = 8
FEWEST_VALIDATION = 4
MOST_TOGETHER = 8192  # rows that the circuit and the yardsticks learn from
FEWEST_TOGETHER = 64  # of a class
SPLIT, PLACES, TOGETHER = 1 << 22, 1 << 23, 1 << 25  # streams of random numbers
FRESH_SEED = 1 << 41  # of the noise that what is reported is measured with
N_SCORED = 512

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Train = Callable[[TrialConfig, Instance], Snapshot]


@dataclass(frozen=True, eq=False, kw_only=True)
class TableFit:
    """A fitted model, and how it did.

    Attributes:
        scores: qsynth's score, against the validation rows, of the model and of the yardsticks, by name; empty when
            there are too few rows to keep some back.
        notes: what was done, a line each.
    """

    model: TableModel
    scores: Mapping[str, float]
    notes: tuple[str, ...]


def fit_table(
    frame: pd.DataFrame, schema: Schema, config: TrialConfig, method: str, seed: int, train: Train
) -> TableFit:
    """Learn a table.

    The columns' distributions, the factors and the circuit are learned from the rows that are not kept back; when all
    has been measured with those, they join the columns' distributions.

    Args:
        method: ``quantum``, the name of a yardstick, or ``auto`` for the best of them on the validation rows.
        train: trains a trial on an instance.

    Raises:
        DataError: a table that there is nothing to learn from.
    """
    numbers, labels = schema.encode(frame), schema.labels(frame)
    n_classes = len(schema.classes)
    if len(frame) < FEWEST_ROWS:
        raise DataError(f"a table must have at least {FEWEST_ROWS} rows to learn from; got {len(frame)}. Add rows.")
    if not schema.modelled:
        raise DataError("a table must have a column to learn beside its target; got only constants and ids")
    train_rows, held = _split(labels, n_classes, seed)
    nominal = [column.nominal for column in schema.modelled]
    whole = TableScores.fit(numbers, labels, nominal, n_classes)
    columns = whole.of_rows(numbers[train_rows], labels[train_rows])
    together = _at_most(MOST_TOGETHER, train_rows, labels, seed)
    random = np.random.default_rng([seed, PLACES])
    z, z_held = (columns.forward(numbers[rows], labels[rows], random) for rows in (together, held))
    learned = Split(z.astype(np.float32), labels[together])
    kept_back = Split(z_held.astype(np.float32), labels[held]) if len(held) else learned
    full = two_part_instance(learned, kept_back, schema.classes, Scaling.identity(z.shape[1]))
    shares = np.bincount(labels, minlength=n_classes) / len(labels)
    makers: dict[str, Maker] = {}
    if method in (QUANTUM, AUTO):
        latent = Latent.fit(z, int(min(config.most_features, z.shape[1])))
        makers[QUANTUM] = _circuit(full, latent, config, train)
    laws = LAWS if method == AUTO else (method,) if method in LAWS else ()
    makers |= {name: GaussianScores.of(_laws(name, full, seed)) for name in laws}
    models = {name: TableModel.of(schema, whole, maker, shares, name) for name, maker in makers.items()}
    scores = _scores(full, models, config, seed) if len(held) >= FEWEST_VALIDATION else {}
    best = max(models, key=lambda name: scores.get(name, 0.0))
    notes = [_rows_used(together, train_rows, held), *_reduction(makers[best], z, labels[together], seed)]
    if method == AUTO:
        notes.append(f"method auto: {best} is the best of {', '.join(models)} on the validation rows")
    return TableFit(model=models[best], scores=scores, notes=tuple(notes))


def _split(labels: Labels, n_classes: int, seed: int) -> tuple[Labels, Labels]:
    """Row numbers to learn from, and to keep back: a fifth of each class, at most 2,048 rows in all."""
    random = np.random.default_rng([seed, SPLIT])
    share = min(VALIDATION_SHARE, MOST_VALIDATION / len(labels))
    held = [
        random.permutation(mine)[: int(share * len(mine))]
        for mine in (np.flatnonzero(labels == label) for label in range(n_classes))
    ]
    chosen = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def _at_most(most: int, rows: Labels, labels: Labels, seed: int) -> Labels:
    """At most about so many of the rows, at random, but of each class its share or ``FEWEST_TOGETHER``."""
    if len(rows) <= most:
        return rows
    random, share = np.random.default_rng([seed, TOGETHER]), most / len(rows)
    members = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    kept = [random.permutation(mine)[: max(FEWEST_TOGETHER, round(share * len(mine)))] for mine in members]
    return np.sort(np.concatenate(kept))


def _circuit(full: Instance, latent: Latent, config: TrialConfig, train: Train) -> CircuitScores:
    """A trained generator of the factors."""
    parts = [latent.factors(np.asarray(part.x, dtype=np.float64)) for part in (full.train, full.validation)]
    scaling = Scaling.fit(parts[0], latent.n_factors)
    learned, held = (
        Split(scaling.forward(x), y) for x, y in zip(parts, (full.train.y, full.validation.y), strict=True)
    )
    instance = two_part_instance(learned, held, full.class_names, scaling)
    snapshot = train(config, instance)
    made = TrainedGenerator(
        config, snapshot.generator, snapshot.hyperparameters, instance.n_features, instance.n_classes
    )
    return CircuitScores(made, scaling, latent)


def _laws(name: str, full: Instance, seed: int) -> list[Gaussians]:
    fitted = YARDSTICKS[name].fit(full, seed)
    assert isinstance(fitted, ByClass)
    return [law for law in fitted.laws if isinstance(law, Gaussians)]


def _scores(full: Instance, models: Mapping[str, TableModel], config: TrialConfig, seed: int) -> dict[str, float]:
    """The score of each model's rows and of the yardsticks', in the space of the scores, with noise of its own."""
    measured = config.replaced(score=score_of_tables())
    measures = Measures(measured, config.circuit(), full.n_features, full.n_classes, 1, eager)
    labels = stratified(full.class_shares, N_SCORED)
    onehot = torch.eye(full.n_classes)[torch.as_tensor(labels)][None]
    fresh = FRESH_SEED + seed % FRESH_SEED
    rows: dict[str, Any] = {name: model.scores(labels, fresh) for name, model in models.items()}
    for name in BESIDE:
        if name not in rows:
            rows[name] = YARDSTICKS[name].fit(full, seed).sample(labels, fresh)
    found: dict[str, float] = {}
    for name, made in rows.items():
        x = torch.as_tensor(np.asarray(made, dtype=np.float32))[None]
        found[name] = float(measures.measure([full], "validation", x, onehot).score[0])
    return found


def score_of_tables() -> ScoreConfig:
    """The score without the QNN's term, whose circuit would bound columns and classes."""
    return ScoreConfig(utility=0.0, n_rows=N_SCORED)


def _rows_used(together: Labels, train_rows: Labels, held: Labels) -> str:
    kept = f"{len(held):,} are kept back to measure" if len(held) else "too few to keep some back to measure"
    total = len(train_rows) + len(held)
    fewer = f", {len(together):,} of them for how columns go together" if len(together) < len(train_rows) else ""
    return f"{len(train_rows):,} rows to learn from{fewer}, {kept}; all {total:,} for the columns' distributions"


def _reduction(maker: Maker, scores: Floats, labels: Labels, seed: int) -> list[str]:
    """What the factors keep of the scores (``n x p``), where they are fewer."""
    if not isinstance(maker, CircuitScores):
        return []
    latent = maker.latent
    d, p = latent.n_factors, len(latent.components)
    if d == p:
        return []
    auc = reconstruction_auc(latent, scores, labels, seed)
    told = "too few rows to try" if auc is None else f"AUC {auc:.2f}, 0.5 is not at all"
    return [
        f"{d} factors of {p} columns are learned by the circuit and have {latent.share_kept:.0%} of their variance; "
        "the rest is drawn as a normal residual, so that rows have full rank; real rows told from those that went "
        f"through the factors and back: {told}"
    ]

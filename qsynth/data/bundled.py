"""The tables that need no download."""

import gzip
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from qsynth.data.simulated import hidden_manifold, two_curves
from qsynth.data.table import Table
from qsynth.registry import Registry

TABLES: Registry[Callable[[], Table]] = Registry("table")
TABLES.register("two_curves")(two_curves)
TABLES.register("hidden_manifold")(hidden_manifold)

_QUBIT_FEATURES = ("T1", "T2", "readout_error", "prob_meas0_prep1", "prob_meas1_prep0", "sx")
_QUBIT_LOG_OFFSETS = {"readout_error": 0.0, "prob_meas0_prep1": 1e-3, "prob_meas1_prep0": 1e-3, "sx": 0.0}


@TABLES.register("iris")
def iris() -> Table:
    """150 flowers of 3 species, 4 columns [Fisher 1936]."""
    return _from_sklearn(load_iris())


@TABLES.register("wine")
def wine() -> Table:
    """178 wines of 3 cultivars, 13 columns [Forina 1988]."""
    return _from_sklearn(load_wine())


@TABLES.register("breast_cancer")
def breast_cancer() -> Table:
    """569 tumours, malignant or benign, 30 columns [Wolberg 1993]."""
    return _from_sklearn(load_breast_cancer())


@TABLES.register("qubit_calibrations")
def qubit_calibrations() -> Table:
    """2,892 qubits of 3 IBM processor families, 6 columns; see ``tables/ATTRIBUTION.md``.

    The error probabilities are heavy-tailed: their logarithm is scaled.
    """
    with (files("qsynth.data") / "tables" / "qubit_calibrations.csv.gz").open("rb") as raw, gzip.open(raw) as text:
        frame = pd.read_csv(text)
    families, y = np.unique(frame["family"].to_numpy(dtype=str), return_inverse=True)
    return Table(
        x=frame[list(_QUBIT_FEATURES)].to_numpy(dtype=np.float64),
        y=y.astype(np.int64),
        feature_names=_QUBIT_FEATURES,
        class_names=tuple(families.tolist()),
        log_offsets={_QUBIT_FEATURES.index(name): offset for name, offset in _QUBIT_LOG_OFFSETS.items()},
    )


def _from_sklearn(bunch: Any) -> Table:
    return Table(
        x=np.asarray(bunch.data, dtype=np.float64),
        y=np.asarray(bunch.target, dtype=np.int64),
        feature_names=tuple(map(str, bunch.feature_names)),
        class_names=tuple(map(str, bunch.target_names)),
    )

"""Train on synthetic rows, test on real ones (Esteban, Hyland and Rätsch, 2017)."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from qsynth.quality.estimate import Estimate, determination, mean_share
from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError
from qsynth.quality.samples import Rows

N_TREES = 100
FOREST, LINEAR = "forest", "linear"


def utility(train: Rows, test: Rows, model: str, n_classes: int, seed: int) -> Estimate:
    """How well a forest or a linear model that learns from one sample predicts another.

    Balanced accuracy for a target of classes; R^2 for a number (``n_classes`` is 0). The interval is over test rows.

    Raises:
        UnmeasuredError: nothing to learn from, or to test on.
    """
    x, y = known(train)
    test_x, test_y = known(test)
    if n_classes:
        fitted = _classifier(model, seed).fit(x, y) if len(np.unique(y)) > 1 else None
        predicted = np.full(len(test_y), y[0]) if fitted is None else fitted.predict(test_x)
        return balanced_accuracy(test_y, predicted)
    if len(test_y) < 2 or test_y.var() == 0:
        raise UnmeasuredError("the real rows to test on have one value of the target")
    return determination(test_y, _regressor(model, seed).fit(x, y).predict(test_x), seed)


def known(rows: Rows) -> tuple[Floats, Floats]:
    """Inputs and answers of the rows whose answer is known.

    Raises:
        UnmeasuredError: there is none, or nothing to predict from.
    """
    there = np.isfinite(rows.answers)
    if not there.any():
        raise UnmeasuredError("a sample has no row with a known value of the target")
    if not rows.inputs.shape[1]:
        raise UnmeasuredError("there is no column to predict the target from")
    return rows.inputs[there], rows.answers[there]


def balanced_accuracy(truth: Floats, predicted: Floats) -> Estimate:
    """Mean over the classes in ``truth`` of the share of their rows that are predicted right.

    Raises:
        UnmeasuredError: there is one class only.
    """
    labels = np.unique(truth)
    if len(labels) < 2:
        raise UnmeasuredError("the real rows to test on are of one class")
    return mean_share([(predicted == label)[truth == label] for label in labels])


def _classifier(model: str, seed: int) -> Any:
    if model == FOREST:
        return RandomForestClassifier(N_TREES, class_weight="balanced", random_state=seed)
    return LogisticRegression(max_iter=500, class_weight="balanced")


def _regressor(model: str, seed: int) -> Any:
    return RandomForestRegressor(N_TREES, random_state=seed) if model == FOREST else Ridge(1.0)

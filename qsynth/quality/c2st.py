"""The classifier two-sample test of Lopez-Paz and Oquab (2017)."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from qsynth.quality.estimate import Estimate, area
from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError

N_FOLDS = 3
N_TREES = 64


def c2st_auc(first: Floats, second: Floats, seed: int) -> Estimate:
    """Area under the ROC curve of telling two samples (``n x width``, ``m x width``) apart, on rows left out.

    The larger of a logistic regression's and a random forest's, each the mean over three folds. 1/2: they can't be told
    apart; less: rows of one are in the other again.

    Raises:
        UnmeasuredError: fewer than two rows in a sample.
    """
    models = (
        LogisticRegression(max_iter=300, class_weight="balanced"),
        RandomForestClassifier(N_TREES, class_weight="balanced", random_state=seed),
    )
    return max((told_apart(model, first, second, seed) for model in models), key=lambda found: found.value)


def told_apart(model: Any, first: Floats, second: Floats, seed: int) -> Estimate:
    """The same of one classifier, which is fitted anew for each fold.

    Raises:
        UnmeasuredError: fewer than two rows in a sample.
    """
    if min(len(first), len(second)) < 2:
        raise UnmeasuredError(f"it needs 2 rows on each side; got {len(first)} and {len(second)}")
    x = np.vstack([first, second])
    y = np.repeat([0, 1], [len(first), len(second)])
    folds = StratifiedKFold(min(N_FOLDS, len(first), len(second)), shuffle=True, random_state=seed).split(x, y)
    sides: tuple[list[Floats], list[Floats]] = ([], [])
    for fit, test in folds:
        told = model.fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
        for side, scores in enumerate(sides):
            scores.append(told[y[test] == side])
    return area(*sides)

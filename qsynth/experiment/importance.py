"""Which hyperparameters a QNN's accuracy depends on: a regression on them, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GroupKFold

from qsynth.errors import DataError
from qsynth.files.picture import png
from qsynth.space.search_space import SearchSpace

N_RESAMPLES = 2000
N_FOLDS = 5
N_TREES = 100
CONFIDENCE = 0.95
DPI = 110

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class HyperparameterEffect:
    """What one hyperparameter does to an outcome, the others in the regression too.

    Attributes:
        change: of the outcome, from the low end of the hyperparameter's range to the high end, by a linear regression
            on all of them, each on its own scale.
        low, high: its 95 % interval over groups (percentiles of a bootstrap that draws whole groups).
        importance: how much less of the variance in groups that it has not seen a random forest explains when this
            hyperparameter is dealt out anew [Breiman 2001, doi 10.1023/A:1010933404324].
        importance_low, importance_high: its 95 % interval over five folds of groups.
    """

    name: str
    change: float
    low: float
    high: float
    importance: float
    importance_low: float
    importance_high: float


@dataclass(frozen=True)
class Regression:
    """Effects, the most important first, and what they explain together.

    Attributes:
        linear: share of the variance within groups that the linear regression explains where it was fitted.
        forest: share that the forest explains in groups that it has not seen.
    """

    effects: list[HyperparameterEffect]
    linear: float
    forest: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


def regress(
    space: SearchSpace, values: Mapping[str, Floats], outcome: Floats, groups: NDArray[np.int64], seed: int = 0
) -> Regression:
    """Regress an outcome on hyperparameters, within groups.

    Args:
        values: of each hyperparameter of the space in each trial (name -> n).
        outcome: of each trial (``n``).
        groups: of each trial (``n``), which problem it solved; only differences within one count.

    Raises:
        DataError: fewer than five groups, or too few trials for so many hyperparameters.
    """
    names = sorted(space)
    numbers, groups = np.unique(groups, return_inverse=True)
    if len(numbers) < N_FOLDS or len(outcome) < 2 * (len(numbers) + len(names)):
        raise DataError(
            f"a regression on {len(names)} hyperparameters must have {N_FOLDS} groups or more, and two trials for each "
            f"group and hyperparameter; got {len(numbers)} groups of {len(outcome)} trials"
        )
    x = np.stack([space[name].to_unit(np.asarray(values[name], dtype=float)) for name in names], axis=1)
    y = _within(outcome[:, None], groups)[:, 0]
    x_within = _within(x, groups)
    slopes = _slopes(x_within, y)
    members = [np.flatnonzero(groups == group) for group in range(len(numbers))]
    random = np.random.default_rng(seed)
    drawn = np.empty((N_RESAMPLES, len(names)))
    for resample in range(N_RESAMPLES):
        rows = np.concatenate([members[group] for group in random.integers(len(members), size=len(members))])
        drawn[resample] = _slopes(x_within[rows], y[rows])
    tail = 0.5 - CONFIDENCE / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    importance, forest = _importances(x, y, groups, seed)
    mean = importance.mean(axis=0)
    half = t.ppf(1 - tail, N_FOLDS - 1) * importance.std(axis=0, ddof=1) / np.sqrt(N_FOLDS)
    effects = [
        HyperparameterEffect(
            name=name,
            change=float(slopes[i]),
            low=float(low[i]),
            high=float(high[i]),
            importance=float(mean[i]),
            importance_low=float(mean[i] - half[i]),
            importance_high=float(mean[i] + half[i]),
        )
        for i, name in enumerate(names)
    ]
    left = y - x_within @ slopes
    linear = 1 - float(left @ left) / float(y @ y) if y.any() else 0.0
    return Regression(sorted(effects, key=lambda effect: -effect.importance), linear, forest)


def importance_picture(found: Regression, outcome: str) -> bytes:
    """Importance of each hyperparameter beside what it changes, with 95 % intervals; a PNG.

    Args:
        outcome: with its unit, in words.
    """
    from matplotlib.figure import Figure

    effects: Sequence[HyperparameterEffect] = found.effects[::-1]
    figure = Figure(figsize=(9, 1.2 + 0.32 * len(effects)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(effects))
    for axes, name, low, high in (
        (left, "importance", "importance_low", "importance_high"),
        (right, "change", "low", "high"),
    ):
        middle, ends = (
            np.array([getattr(each, name) for each in effects]),
            [np.array([getattr(each, end) for each in effects]) for end in (low, high)],
        )
        axes.errorbar(middle, places, xerr=np.abs(np.stack(ends) - middle), fmt="o", color="#0072B2", capsize=2)
        axes.axvline(0, color="#888888", lw=1)
        axes.grid(axis="x", alpha=0.3)
    left.set_yticks(places, [each.name for each in effects])
    left.set_xlabel("importance: share of variance lost")
    right.set_xlabel(f"{outcome}, from low end to high end")
    return png(figure, DPI)


def _within(x: Floats, groups: NDArray[np.int64]) -> Floats:
    """Less the group's mean, column by column."""
    sums = np.zeros((groups.max() + 1, x.shape[1]))
    np.add.at(sums, groups, x)
    return np.asarray(x - (sums / np.bincount(groups)[:, None])[groups])


def _slopes(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0])


def _importances(x: Floats, y: Floats, groups: NDArray[np.int64], seed: int) -> tuple[Floats, float]:
    """Of each hyperparameter in each fold of groups (folds x hyperparameters), and the forest's own mean share."""
    found, shares = [], []
    for fold, (seen, unseen) in enumerate(GroupKFold(N_FOLDS).split(x, y, groups)):
        forest = RandomForestRegressor(N_TREES, min_samples_leaf=5, random_state=seed + fold).fit(x[seen], y[seen])
        found.append(permutation_importance(forest, x[unseen], y[unseen], random_state=seed).importances_mean)
        shares.append(forest.score(x[unseen], y[unseen]))
    return np.array(found), float(np.mean(shares))

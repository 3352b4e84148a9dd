"""Pictures of a study, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cluster.results.figure import new_figure, save_figure
from qsynth.errors import QsynthError

Scale = Literal["log", "linear"]
Floats = NDArray[np.floating[Any]]

# Okabe and Ito's colours, told apart with any kind of colour vision; the first is the agent's, or the synthetic data's.
EMPHASIS = "#D55E00"
COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#595959")
LINE_STYLES = ("-", "--", "-.", ":")
REAL = "#595959"
MAX_FEATURES = 12
MAX_CLASSES = 4
N_BINS = 24


def plot_schedule(schedules: Mapping[str, Floats], score: Floats, path: Path, scales: Mapping[str, Scale]) -> None:
    """What happened to each hyperparameter, and to the score, over decisions: small multiples.

    A thin line is an instance, the thick one their mean (the geometric mean on a log scale). A hyperparameter holds its
    value until the next decision.

    Args:
        schedules: values by hyperparameter, ``instances x (n_decisions + 1)``.
        score: validation score, ``instances x (n_decisions + 1)``.
        path: the PNG file.
        scales: the axis of each hyperparameter.

    Raises:
        QsynthError: a hyperparameter on a log scale has a value of zero or less.
    """
    n_panels = len(schedules) + 1
    columns = min(n_panels, 4 if n_panels % 4 == 0 else 3)
    rows = -(-n_panels // columns)
    figure = new_figure(3.2 * columns, 0.3 + 2.3 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for panel, (name, values) in zip(panels, schedules.items(), strict=False):
        logarithmic = scales[name] == "log"
        if logarithmic and np.min(values) <= 0:
            raise QsynthError(f"{name} must be positive on a log scale; got {np.min(values)}")
        mean = np.exp(np.log(values).mean(axis=0)) if logarithmic else np.mean(values, axis=0)
        panel.set_yscale(scales[name])
        _spread(panel, name, values, mean, COLOURS[0], "steps-post")
        if not logarithmic and not np.any(np.mod(values, 1)):
            panel.yaxis.get_major_locator().set_params(integer=True)
            panel.set_ylim(np.min(values) - 0.6, np.max(values) + 0.6)
    last = panels[n_panels - 1]
    _spread(last, "score", score, np.mean(score, axis=0), EMPHASIS, "default")
    for unused in panels[n_panels:]:
        unused.remove()
    for lowest in panels[n_panels - columns : n_panels]:
        lowest.set_xlabel("decision", fontsize=9)
        lowest.xaxis.set_tick_params(labelbottom=True)
    last.xaxis.get_major_locator().set_params(integer=True)
    last.set_xlim(0, score.shape[1] - 1)
    save_figure(figure, path)


def plot_marginals(
    real: Floats,
    synthetic: Floats,
    feature_names: Sequence[str],
    path: Path,
    real_y: NDArray[Any] | None = None,
    synthetic_y: NDArray[Any] | None = None,
    class_names: Sequence[str] = (),
) -> None:
    """Histogram of every feature, real against synthetic, as densities over the same bins.

    With labels of at most four classes there is a column of panels per class. Of more than twelve features, the twelve
    whose marginals differ most (Kolmogorov-Smirnov statistic) are drawn. Bins span the real values and a sixth of their
    range on each side; synthetic values beyond count in the outermost bins. Missing values are left out.

    Args:
        real: ``n x d``.
        synthetic: ``m x d``.
        feature_names: ``d`` names.
        path: the PNG file.
        real_y: labels of the real rows, ``n``.
        synthetic_y: labels of the synthetic rows, ``m``.
        class_names: name of class 0, 1, ...; labels are shown as they are without it.

    Raises:
        QsynthError: the two do not have the named features.
    """
    if not real.shape[1] == synthetic.shape[1] == len(feature_names):
        found = f"{real.shape[1]} real, {synthetic.shape[1]} synthetic and {len(feature_names)} names"
        raise QsynthError(f"feature_names must name each column of both tables; got {found}")
    shown = _most_different(real, synthetic)
    groups: list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]] = [
        ("", np.ones(len(real), dtype=bool), np.ones(len(synthetic), dtype=bool))
    ]
    if real_y is not None and synthetic_y is not None and len(np.unique(real_y)) <= MAX_CLASSES:
        labels = np.unique(real_y)
        names = [class_names[int(label)] if class_names else f"class {label}" for label in labels]
        groups = [(name, real_y == y, synthetic_y == y) for name, y in zip(names, labels, strict=True)]
    columns = len(groups) if len(groups) > 1 else min(4, len(shown))
    rows = -(-len(shown) * len(groups) // columns)
    figure = new_figure(max(2.9 * columns, 5.0), 0.8 + 1.9 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    cells = [(feature, group) for feature in shown for group in groups]
    for panel, (feature, (group, is_real, is_synthetic)) in zip(panels, cells, strict=False):
        edges = _bins(real[:, feature])
        _tidy(panel)
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.set_title(f"{feature_names[feature]}, {group}" if group else feature_names[feature], fontsize=9)
        of_real = _density(real[is_real, feature], edges)
        of_synthetic = _density(synthetic[is_synthetic, feature], edges)
        panel.stairs(of_real, edges, fill=True, color=REAL, alpha=0.35)
        panel.stairs(of_synthetic, edges, color=EMPHASIS, linewidth=1.6)
        panel.set_xlim(edges[0], edges[-1])
        panel.set_ylim(0, 1.08 * max(of_real.max(), of_synthetic.max()))
        if not is_synthetic.any():
            panel.text(0.97, 0.93, "no synthetic rows", ha="right", va="top", fontsize=8, transform=panel.transAxes)
    for unused in panels[len(cells) :]:
        unused.remove()
    keys = [f"real, {len(real):,} rows", f"synthetic, {len(synthetic):,} rows"]
    figure.legend(panels[0].patches[:2], keys, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    if len(shown) < real.shape[1]:
        text = f"the {len(shown)} of {real.shape[1]} features that differ most, in that order"
        figure.supxlabel(text, fontsize=9)
    save_figure(figure, path)


def plot_training(history: Sequence[Mapping[str, float | None]], path: Path) -> None:
    """Mean score and return over sampled steps, while the agent is trained.

    Args:
        history: one mapping per training iteration with ``sampled_steps``, ``score`` (mean final score of the
            episodes that ended) and ``return`` (their mean return); None or left out where no episode ended.
        path: the PNG file.

    Raises:
        QsynthError: no history.
    """
    if not history:
        raise QsynthError("plot_training must get one or more training iterations; got none")
    figure = new_figure(7.5, 4.8)
    steps = np.array([entry["sampled_steps"] for entry in history], dtype=np.float64)
    for axes, key, colour in zip(figure.subplots(2, 1, sharex=True), ("score", "return"), COLOURS, strict=False):
        values = np.array([entry.get(key) for entry in history], dtype=np.float64)  # None becomes NaN
        known = np.isfinite(values)
        _tidy(axes, "sampled steps" if key == "return" else "", f"mean {key}")
        axes.plot(steps[known], values[known], color=colour, linewidth=1.8, marker="o", markersize=3)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    save_figure(figure, path)


def _tidy(axes: Any, x_label: str = "", y_label: str = "") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", labelsize=8)
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)


def _spread(panel: Any, name: str, values: Floats, mean: Floats, colour: str, drawstyle: str) -> None:
    _tidy(panel)
    decisions = np.arange(values.shape[1])
    panel.plot(decisions, values.T, color=colour, alpha=0.25, linewidth=0.7, drawstyle=drawstyle)
    panel.plot(decisions, mean, color=colour, linewidth=2.2, drawstyle=drawstyle)
    panel.set_title(name, fontsize=10)


def _most_different(real: Floats, synthetic: Floats) -> list[int]:
    if real.shape[1] <= MAX_FEATURES:
        return list(range(real.shape[1]))
    differences = [_distance(real[:, feature], synthetic[:, feature]) for feature in range(real.shape[1])]
    return [int(feature) for feature in np.argsort(differences)[::-1][:MAX_FEATURES]]


def _distance(a: Floats, b: Floats) -> float:
    return float(stats.ks_2samp(a[np.isfinite(a)], b[np.isfinite(b)]).statistic)


def _bins(real: Floats) -> Floats:
    known = real[np.isfinite(real)]
    low, high = float(known.min()), float(known.max())
    margin = (high - low) / 6 or 0.5
    edges: Floats = np.linspace(low - margin, high + margin, N_BINS + 1)
    return edges


def _density(values: Floats, edges: Floats) -> Floats:
    """Density in each bin; all zero without values."""
    counts, _ = np.histogram(np.clip(values[np.isfinite(values)], edges[0], edges[-1]), edges)
    density: Floats = counts / (max(counts.sum(), 1) * (edges[1] - edges[0]))
    return density

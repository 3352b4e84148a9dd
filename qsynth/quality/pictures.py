"""Pictures of a report, as PNG files' bytes. Names that need more than a font stand beside them, in the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from qsynth.files.picture import png
from qsynth.quality.column_view import ColumnView
from qsynth.quality.features import Floats
from qsynth.quality.number import Number
from qsynth.quality.scatter import Scatter

DPI = 110
# Okabe and Ito's colours, told apart with any kind of colour vision.
SYNTHETIC, REAL = "#D55E00", "#595959"
CLASSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8A6D00")
OTHER = "#B0B0B0"
MAX_NAMED = 24


def bins_picture(view: ColumnView) -> bytes:
    """Shares of a column's numbers in bins: real ones filled, synthetic ones as a line."""
    figure = Figure(figsize=(3.0, 1.75))
    axes = figure.add_axes((0.06, 0.16, 0.9, 0.8))
    real, synthetic = view.shares
    edges = np.asarray(view.edges)
    axes.stairs(real, edges, fill=True, color=REAL, alpha=0.45)
    axes.stairs(synthetic, edges, color=SYNTHETIC, linewidth=1.6)
    axes.set_xticks(edges[[0, len(edges) // 2, -1]], view.places, fontsize=7)
    axes.set_xlim(edges[0], edges[-1])
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    return png(figure, DPI)


def associations_picture(names: Sequence[str], real: Floats, synthetic: Floats) -> bytes:
    """How strongly columns go together: real, synthetic, and the difference."""
    n_columns = len(names)
    figure = Figure(figsize=(10.4, 3.6 if n_columns <= MAX_NAMED else 3.2), layout="constrained")
    sides = (("real", real), ("synthetic", synthetic), ("synthetic - real", synthetic - real))
    for place, (axes, (title, values)) in enumerate(zip(figure.subplots(1, 3), sides, strict=True)):
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xticks([])
        named = place == 0 and n_columns <= MAX_NAMED
        axes.set_yticks(range(n_columns) if named else [], [_short(name, 18) for name in names] if named else [])
        axes.tick_params(length=0, labelsize=8 if n_columns <= 14 else 6)
        axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=figure.axes, shrink=0.85).ax.tick_params(labelsize=8)
    return png(figure, DPI)


def scatter_picture(scatter: Scatter) -> bytes:
    """Real rows on the left, synthetic ones on the right, in one plane and one scale."""
    figure = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    sides = (("real", scatter.real, scatter.real_colours), ("synthetic", scatter.synthetic, scatter.synthetic_colours))
    palette = np.array([*CLASSES[: len(scatter.classes)], OTHER if scatter.classes else CLASSES[0]])
    for axes, (title, points, colours) in zip(panels, sides, strict=True):
        axes.scatter(points[:, 0], points[:, 1], s=9, c=palette[colours.astype(np.int64)], alpha=0.65, linewidths=0)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    # A few rows far off would hide all others.
    everything = np.vstack([scatter.real, scatter.synthetic])
    low, high = np.quantile(everything, [0.005, 0.995], axis=0)
    margin = np.maximum(0.15 * (high - low), 1e-6)
    panels[0].set_xlim(low[0] - margin[0], high[0] + margin[0])
    panels[0].set_ylim(low[1] - margin[1], high[1] + margin[1])
    return png(figure, DPI)


def bars_picture(numbers: Sequence[Number]) -> bytes:
    """Numbers side by side: the synthetic rows, each yardstick, and real rows as a dashed line."""
    names = ["synthetic", *numbers[0].beside]
    figure = Figure(figsize=(3.3 * len(numbers) + 0.8, 0.95 + 0.3 * len(names)), layout="constrained")
    panels = figure.subplots(1, len(numbers), squeeze=False)[0]
    for place, (axes, number) in enumerate(zip(panels, numbers, strict=True)):
        values = [number.value, *(number.beside.get(name) for name in names[1:])]
        _bars(axes, values, number.reference)
        axes.set_title(number.title, fontsize=9)
        axes.set_yticks(range(len(names)), [_short(name, 22) for name in names] if place == 0 else [""] * len(names))
        axes.tick_params(labelsize=8)
    return png(figure, DPI)


def _bars(axes: Any, values: Sequence[float | None], reference: float | None) -> None:
    known = [value for value in (*values, reference) if value is not None]
    low, high = min([0.0, *known]), max([1.0, *known])
    low = max(low, -1.0)  # R^2 has no bottom
    for place, value in enumerate(values):
        if value is not None:
            axes.barh(place, value, 0.6, color=SYNTHETIC if place == 0 else CLASSES[0], alpha=1 if place == 0 else 0.75)
        text = "none" if value is None else f"{value:.2f}"
        axes.text(max(value or 0.0, 0.0) + 0.02 * (high - low), place, text, va="center", fontsize=8)
    if reference is not None:
        axes.axvline(reference, color=REAL, linewidth=1.4, linestyle="--")
    axes.set_xlim(low, high + 0.14 * (high - low))
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name: str, length: int) -> str:
    """A name on one line, cut where it is too long."""
    line = " ".join(name.split())
    return line if len(line) <= length else line[: length - 1] + "…"

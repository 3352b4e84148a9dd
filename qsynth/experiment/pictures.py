"""Pictures of an experiment."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsynth.experiment.cell import CellResult
from qsynth.experiment.fits import looks
from qsynth.experiment.summary import RegimeSummary
from qsynth.files.picture import png

COLOURS = {
    "gan": "#D55E00",
    "yardstick": "#0072B2",
    "augmentation": "#56B4E9",
    "real rows": "#555555",
    "ceiling": "#009E73",
    "beside": "#999999",
}
DPI = 110


def gains_picture(regime: RegimeSummary) -> bytes:
    """Gain of every arm over the bar, in points of balanced accuracy, with 95 % intervals."""
    arms = [arm for arm in regime.arms if arm.over_bar is not None]
    figure = _figure(8.5, 1.0 + 0.27 * len(arms))
    axes = figure.subplots()
    for place, arm in enumerate(reversed(arms)):
        found = arm.over_bar
        assert found is not None  # as chosen above
        span = [[100 * (found.value - found.low)], [100 * (found.high - found.value)]]
        axes.errorbar([100 * found.value], [place], xerr=span, fmt="o", ms=5, color=COLOURS[arm.role], capsize=2)
    axes.set_yticks(range(len(arms)), [arm.name for arm in reversed(arms)])
    axes.axvline(0, color="#888888", lw=1)
    axes.set_xlabel(f"points of balanced accuracy over {regime.bar}")
    axes.grid(axis="x", alpha=0.3)
    return png(figure, DPI)


def paths_picture(regime: RegimeSummary, cells: Sequence[CellResult], n_steps: int) -> bytes:
    """Mean balanced accuracy over the optimiser's steps: the bar, the oracle, the best of each role."""
    shown = [regime.bar, regime.oracle]
    for role in ("gan", "yardstick", "augmentation"):
        shown += [arm.name for arm in regime.arms if arm.role == role][:1]
    roles = {arm.name: arm.role for arm in regime.arms}
    figure = _figure(8.5, 3.4)
    axes, steps = figure.subplots(), looks(n_steps)
    for name in shown:
        mean = np.mean([np.mean(cell.arms[name].path, axis=0) for cell in cells], axis=0)
        axes.plot(steps, 100 * mean, color=COLOURS[roles[name]], label=name)
    axes.set_xlabel("steps of the QNN's optimiser")
    axes.set_ylabel("balanced accuracy, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return png(figure, DPI)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")

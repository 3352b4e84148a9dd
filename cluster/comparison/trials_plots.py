"""Pictures of a comparison's trials, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.comparison.fronts import PRICES, Fronts
from cluster.comparison.importance import Importance
from cluster.comparison.report import count
from cluster.results.figure import new_figure, save_figure
from cluster.results.plots import COLOURS, EMPHASIS, REAL
from qsynth.experiment.importance import importance_picture
from qsynth.files.atomic import atomic_file
from qsynth.files.picture import add_legend


def plot_importance(found: Importance, path: Path) -> bool:
    """Importance of each hyperparameter beside what it changes; False, and no picture, where nothing can be said."""
    if found.regression is None:
        return False
    with atomic_file(path) as file:
        file.write(importance_picture(found.regression, "validation score"))
    return True


def plot_fronts(fronts: Mapping[str, Fronts], agent: str | None, path: Path) -> None:
    """Every trial's score over its circuits and its shots, a row for each study, with the Pareto fronts."""
    prices = [price for price in PRICES if any(each.front(price) for each in fronts.values())]
    figure = new_figure(0.7 + 4.4 * max(len(prices), 1.6), 0.6 + 3.0 * len(fronts))
    panels = figure.subplots(len(fronts), len(prices), squeeze=False)
    for row, (study, found) in zip(panels, fronts.items(), strict=True):
        for panel, price in zip(row, prices, strict=True):
            keys = []
            for name, colour, mine in (("other trials", REAL, False), (agent, EMPHASIS, True)):
                shown = [each for each in found.points if (each.rival == agent) is mine and getattr(each, price)]
                if name is None or not shown:
                    continue
                x, y = [getattr(each, price) for each in shown], [each.score for each in shown]
                keys.append((panel.scatter(x, y, s=9, color=colour, alpha=0.45, linewidth=0), name))
            front = [each for each in found.front(price) if getattr(each, price)]
            x, y = [getattr(each, price) for each in front], [each.score for each in front]
            steps = panel.plot(x, y, color=COLOURS[0], linewidth=1.6, marker="o", markersize=5, drawstyle="steps-post")
            keys += [(line, "front") for line in steps]
            _scale(panel, [getattr(each, price) for each in found.points])
            panel.set_xlabel(f"{price} of the trial", fontsize=9)
            panel.set_ylabel("validation score", fontsize=9)
            panel.set_title(study if len(fronts) > 1 else "", fontsize=10)
            panel.spines[["top", "right"]].set_visible(False)
            panel.grid(alpha=0.25)
            add_legend(panel, keys, loc="lower right", fontsize=8, markerscale=1.5)
    save_figure(figure, path)


def _scale(panel: Any, prices: Sequence[int]) -> None:
    """A logarithmic axis with plain numbers that do not overlap."""
    from matplotlib.ticker import LogLocator, NullFormatter

    known = [price for price in prices if price]
    narrow = bool(known) and max(known) < 100 * min(known)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,)))
    panel.xaxis.set_major_formatter(lambda value, _: count(round(value)))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(labelsize=8)

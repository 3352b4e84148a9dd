"""Picture of a search, as a PNG file."""

from collections.abc import Sequence
from pathlib import Path

from cluster.ray_tune.searched import SearchedTrial
from cluster.results.figure import new_figure, save_figure
from cluster.results.plots import COLOURS, EMPHASIS
from qsynth.space.search_space import Float, Int, SearchSpace


def plot_search(trials: Sequence[SearchedTrial], space: SearchSpace, path: Path) -> None:
    """Each candidate's score against the value of each hyperparameter at its beginning, the best one marked.

    Hollow marks are candidates that ended before their time.

    Args:
        trials: one or more.
        path: the PNG file.
    """
    columns = min(4, len(space))
    rows = -(-len(space) // columns)
    figure = new_figure(3.2 * columns, 0.3 + 2.5 * rows)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    whole = max(len(next(iter(each.schedule.values()))) for each in trials)
    best = max(trials, key=lambda each: each.score)
    for panel, (name, dimension) in zip(panels, sorted(space.items()), strict=False):
        if isinstance(dimension, Float) and dimension.log:
            panel.set_xscale("log")
        if isinstance(dimension, Int):
            panel.xaxis.get_major_locator().set_params(integer=True)
        for each in trials:
            colour = EMPHASIS if each is best else COLOURS[0]
            ended = len(next(iter(each.schedule.values()))) < whole
            panel.scatter(
                each.start[name],
                each.score,
                s=46 if each is best else 20,
                facecolors="none" if ended else colour,
                edgecolors=colour,
                linewidths=1.0,
                zorder=3 if each is best else 2,
            )
        panel.set_title(name, fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(which="both", labelsize=8)
        panel.grid(axis="y", color="#E6E6E6", linewidth=0.7)
    for row in range(rows):
        panels[row * columns].set_ylabel("validation score", fontsize=9)
    for unused in panels[len(space) :]:
        unused.remove()
    save_figure(figure, path)

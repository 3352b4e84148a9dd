"""Pictures of a comparison, as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster.comparison.rows_summary import RowsSummary
from cluster.comparison.summary import ComparisonSummary, RivalSummary, in_runs
from cluster.results.figure import new_figure, save_figure
from cluster.results.plots import COLOURS, EMPHASIS, LINE_STYLES, REAL
from qsynth.files.picture import add_legend

BESIDE = REAL
MARKED: dict[str, Any] = {"marker": "o", "markersize": 4}


def plot_budgets(summary: ComparisonSummary, path: Path, rows: RowsSummary | None = None) -> None:
    """Interquartile mean of the test scores over the budget, a line per rival, with the agent's 95 % interval.

    Args:
        rows: of whom the best yardstick and the ceiling are lines across, at their means.
    """
    figure = new_figure(9.5, 5.2)
    axes = figure.subplots()
    keys = []
    for each, style in _styles(summary):
        runs = sorted(each.test)
        values = [each.test[at] for at in runs]
        keys += [(line, each.rival.name) for line in axes.plot(runs, [v.value for v in values], **MARKED, **style)]
        if each.rival.name == summary.agent:  # bands of all would hide one another; the table has their intervals
            low, high = [value.low for value in values], [value.high for value in values]
            axes.fill_between(runs, low, high, color=EMPHASIS, alpha=0.12, linewidth=0)
    if summary.agent is not None:
        one = next(each for each in summary.rivals if each.rival.name == summary.agent)
        axes.axhline(one.test[min(one.test)].value, color=EMPHASIS, linewidth=0.8, linestyle=":")
    if rows is not None:
        ceilings = [each for each in rows.others if each.ceiling][:1]
        for other, dashes in ((rows.best, "--"), *((each, ":") for each in ceilings)):
            across = axes.axhline(other.score.value, color=BESIDE, linewidth=1.4, linestyle=dashes)
            keys.append((across, other.name))
    _finish(summary, axes, keys, "budget per problem, in runs", "test score of what it returns (IQM)")
    save_figure(figure, path)


def plot_curves(summary: ComparisonSummary, path: Path) -> None:
    """Interquartile mean of the best validation score so far over the budget spent, a line per rival."""
    figure = new_figure(9.5, 5.2)
    axes = figure.subplots()
    keys = []
    for each, style in _styles(summary):
        marks = MARKED if len(each.curve.runs) <= len(summary.budgets) else {}
        lines = axes.plot(each.curve.runs, each.curve.scores, **marks, **style)
        keys += [(line, each.rival.name) for line in lines]
    if summary.target is not None:
        axes.axhline(summary.target[0], color="#595959", linewidth=0.8, linestyle=":")
    _finish(summary, axes, keys, "budget spent per problem, in runs", "best validation score so far (IQM)")
    save_figure(figure, path)


def plot_leads(summary: ComparisonSummary, path: Path) -> None:
    """Probability that the agent with the smallest budget is better than each rival at each, with 95 % intervals."""
    rows = [(each, runs) for each in reversed(summary.rivals) for runs in sorted(each.lead, reverse=True)]
    figure = new_figure(8.0, 0.9 + 0.24 * len(rows))
    axes = figure.subplots()
    for place, (each, runs) in enumerate(rows):
        lead = each.lead[runs]
        colour = EMPHASIS if lead.low > 0.5 else COLOURS[0] if lead.high < 0.5 else "#595959"
        axes.plot([lead.low, lead.high], [place, place], color=colour, linewidth=2)
        axes.plot([lead.value], [place], "o", color=colour, markersize=5)
    axes.axvline(0.5, color="#595959", linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), [f"{each.rival.name}, {in_runs(runs)}" for each, runs in rows], fontsize=8)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"P({summary.ours} with {summary.first} is better on a problem)", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path)


def plot_rows(rows: RowsSummary, path: Path) -> None:
    """Mean test score of the GAN's rows and of each yardstick's, with 95 % intervals."""
    shown = sorted((rows.gan, *rows.others), key=lambda each: each.score.value)
    figure = new_figure(8.0, 1.0 + 0.3 * len(shown))
    axes = figure.subplots()
    for place, each in enumerate(shown):
        colour = EMPHASIS if each is rows.gan else BESIDE if each.ceiling else COLOURS[0]
        axes.plot([each.score.low, each.score.high], [place, place], color=colour, linewidth=2)
        axes.plot([each.score.value], [place], "o", color=colour, markersize=5)
    axes.axvline(rows.gan.score.value, color=EMPHASIS, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(shown)), [each.name for each in shown], fontsize=8)
    axes.set_xlabel("test score of rows (mean over problems)", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path)


def _styles(summary: ComparisonSummary) -> list[tuple[RivalSummary, dict[str, Any]]]:
    """Rivals with their lines, in the order of the table; the agent's is thick."""
    styled, place = [], 0
    for each in summary.rivals:
        style: dict[str, Any]
        if each.rival.name == summary.agent:
            style = {"color": EMPHASIS, "linewidth": 2.8, "zorder": 5}
        else:
            style = {
                "color": COLOURS[place % len(COLOURS)],
                "linestyle": LINE_STYLES[place // len(COLOURS) % len(LINE_STYLES)],
                "linewidth": 1.5,
            }
            place += 1
        styled.append((each, style))
    return styled


def _finish(summary: ComparisonSummary, axes: Any, keys: Sequence[tuple[Any, str]], x: str, y: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(summary.budgets), [str(runs) for runs in summary.budgets])
    axes.minorticks_off()
    axes.set_xlabel(x, fontsize=9)
    axes.set_ylabel(y, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    add_legend(axes, keys, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8)

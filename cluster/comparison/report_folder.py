"""A comparison's report with its pictures and numbers, as files of one folder."""

from collections.abc import Sequence
from pathlib import Path

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.plan import ComparisonPlan
from cluster.comparison.plots import plot_budgets, plot_curves, plot_leads, plot_rows
from cluster.comparison.report import report_html
from cluster.comparison.trials_plots import plot_fronts, plot_importance
from qsynth.files.atomic import atomic_write_json, atomic_write_text


def write_report(result: ComparisonResult, folder: Path, title: str, about: Sequence[str]) -> Path:
    """Write ``report.html``, ``comparison.json`` and ``plots``; the report's path.

    Args:
        about: lines on how the comparison was made.
    """
    captions = {caption: folder / "plots" / f"{name}.png" for name, caption in plot_comparison(result, folder).items()}
    report = folder / "report.html"
    atomic_write_text(report, report_html(result, title, captions, about))
    atomic_write_json(folder / "comparison.json", result.to_dict())
    return report


def plot_comparison(result: ComparisonResult, folder: Path) -> dict[str, str]:
    """Draw what there is to draw below ``plots``: picture's name -> caption."""
    plots = folder / "plots"
    plots.mkdir(exist_ok=True)
    captions = {"budgets": "Test score over the budget", "curves": "Validation score over time"}
    plot_budgets(result.summary, plots / "budgets.png", result.rows)
    if result.rows is not None:
        captions["rows"] = "Test score of yardsticks beside the GAN's"
        plot_rows(result.rows, plots / "rows.png")
    plot_curves(result.summary, plots / "curves.png")
    if result.retrained_summary is not None:
        captions["retrained"] = "Test score of what they returned, trained again"
        plot_budgets(result.retrained_summary, plots / "retrained.png")
    if result.agent is not None:
        captions["leads"] = f"The {result.summary.ours}'s lead"
        plot_leads(result.summary, plots / "leads.png")
    for study, found in result.importance.items():
        alone = len(result.importance) == 1
        name = "importance" if alone else f"importance-{study}"
        if plot_importance(found, plots / f"{name}.png"):
            captions[name] = f"Which hyperparameters matter{'' if alone else f' in {study}'}"
    if result.fronts:
        captions["fronts"] = "Score against circuits and shots, trial by trial"
        plot_fronts(result.fronts, result.agent, plots / "fronts.png")
    return captions


def describe_rules(plan: ComparisonPlan) -> list[str]:
    """How rivals are charged and measured, a line each."""
    return [
        "Every rival is charged for its GAN iterations, failed runs included, and returns the GAN with the best "
        f"validation score {'at any decision' if plan.keep == 'best' else 'of the ends of its whole runs'}; the test "
        "score is measured with fresh noise and selects nothing.",
        "Yardsticks make as many rows with the same labels, from the same seeds, and are measured in the same way.",
        f"Those that do not choose their own start from {'random values' if plan.random_start else 'the defaults'}. "
        f"Tuned rivals had {plan.search_trials:,} trials each on training instances, or a few more.",
    ]

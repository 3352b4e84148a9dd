"""A study's result as Markdown: its report, and what MLflow's page of it says."""

from collections.abc import Mapping

from cluster.comparison.report import count, describe_unbeaten
from cluster.comparison.rows_report import rows_markdown
from cluster.comparison.summary import ComparisonSummary, in_runs
from cluster.comparison.trials_report import counted
from cluster.tuning.study_result import StudyResult


def study_markdown(result: StudyResult, plots: Mapping[str, str]) -> str:
    """What to conclude, the rivals, the yardsticks, what the agent did not beat, what training took, plots, files.

    Args:
        plots: path, seen from the report -> caption.
    """
    summary, again = result.comparison.summary, result.comparison.retrained_summary
    rows = result.comparison.rows
    sections = [f"# {_inline(result.run)}"]
    sections += [] if rows is None else [f"**{_inline(rows.conclusion)}**"]
    sections += [_scores(summary)]
    sections += [] if rows is None else ["## Yardsticks beside the GAN", rows_markdown(rows)]
    lines = "\n".join(f"- {_inline(line)}" for line in describe_unbeaten(summary))
    sections += [f"## What the {summary.ours} did not beat", lines]
    if again is not None:
        sections += ["## What they returned, trained again with a fresh seed", _scores(again)]
    if result.device is not None:
        sections += ["## On the device", result.device.markdown()]
    conclusions = [_inline(counted(each)) for each in result.comparison.importance.values()]
    sections += ["## Which hyperparameters matter", *conclusions] if conclusions else []
    training = "\n".join(f"- {_inline(name)}: {_number(value)}" for name, value in result.training.items())
    sections += [f"## What the {summary.ours} took", training]
    sections += ["## Plots", *(f"{_inline(caption)}\n\n![{name}]({name})" for name, caption in plots.items())]
    files = "\n".join(f"- {_inline(name)}: `{path}`" for name, path in result.paths.items())
    return "\n\n".join([*sections, "## Files", files]) + "\n"


def _scores(summary: ComparisonSummary) -> str:
    """A table of test scores at each budget, best rival first."""
    budgets = summary.budgets
    better = f"{summary.ours} with {summary.first} better"
    header = ["rival", "GAN iterations before", *(in_runs(runs) for runs in budgets), better, "what it is"]
    rows = []
    for each in summary.rivals:
        cells = [each.rival.name, count(each.rival.prepared)]
        cells += [each.test[runs].describe() if runs in each.test else "" for runs in budgets]
        lead = each.lead.get(min(each.test))
        cells += ["" if lead is None else lead.describe(), "; ".join(dict.fromkeys(each.rival.details.values()))]
        rows.append(
            [f"**{_inline(cell)}**" if each.rival.name == summary.agent and cell else _inline(cell) for cell in cells]
        )
    table = "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])
    return (
        f"Interquartile means of test scores on {summary.n_problems} held-out problems, with fresh noise and 95 % "
        f"intervals; more is better. Probabilities are paired by problem.\n\n{table}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _inline(text: str) -> str:
    """Text that stays on one line and in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")

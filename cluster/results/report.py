"""A study's result for people: a table for the terminal and a page of Markdown."""

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType

from rich import box
from rich.markup import escape
from rich.table import Table

from cluster.results.study_result import AGENT, ContenderResult, StudyResult, paired_difference


def contender_table(result: StudyResult) -> Table:
    """The contenders, best mean score first and the agent in bold, within 80 columns; below it what each of them is.

    Costs are per held-out instance (runs x GAN iterations) and, under "search", the GAN iterations spent before; the
    last column is the share of a run after which the mean curve passes the best constants' final score.
    """
    table = Table(
        title=f"{escape(result.study)}: test scores on held-out instances",
        title_justify="left",
        caption="\n".join(f"{escape(c.name)}: {escape(c.detail)}" for c in _ranked(result) if c.detail),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("contender", overflow="fold")
    for heading in ("runs x it.", "search", "score (sd)", "95 % interval", "passes\nconstants"):
        table.add_column(heading, justify="right", no_wrap=True)
    for contender in _ranked(result):
        style = "bold" if contender.name == AGENT else None
        table.add_row(*(escape(cell) for cell in _cells(contender)), style=style)
    return table


def report_markdown(result: StudyResult, plots: Mapping[str, str] = MappingProxyType({})) -> str:
    """The report as Markdown: contenders, what the agent did not beat, what training took, plots, where the files are.

    Differences are paired by instance, with 95 % t intervals.

    Args:
        plots: path, seen from the report -> caption.

    Raises:
        QsynthError: a contender was scored on another number of instances than the agent.
    """
    sections = [f"# {_inline(result.study)}", _contenders(result)]
    if result.agent is not None:
        sections += ["## What the agent did not beat", _unbeaten(result, result.agent)]
    if result.device is not None:
        sections += ["## On the device", result.device.markdown()]
    if result.training:
        lines = [f"- {_inline(name)}: {_number(value)}" for name, value in result.training.items()]
        sections += ["## Training the agent", "\n".join(lines)]
    if plots:
        sections += ["## Plots", *(f"{_inline(caption)}\n\n![{name}]({name})" for name, caption in plots.items())]
    if result.paths:
        lines = [f"- {_inline(name)}: `{path}`" for name, path in result.paths.items()]
        sections += ["## Files", "\n".join(lines)]
    return "\n\n".join(sections) + "\n"


def _ranked(result: StudyResult) -> list[ContenderResult]:
    return sorted(result.contenders, key=lambda contender: -contender.score_mean)


def _cells(contender: ContenderResult) -> list[str]:
    low, high = contender.score_interval
    fraction = contender.fraction_to_best_constants
    return [
        contender.name,
        f"{contender.runs_per_instance:,} x {contender.iterations_per_run:,}",
        count(contender.search_iterations),
        f"{contender.score_mean:.3f} ({contender.score_sd:.3f})",
        f"{low:.3f} to {high:.3f}",
        "-" if fraction is None else f"at {fraction:.0%}",
    ]


def _contenders(result: StudyResult) -> str:
    header = [
        "contender",
        "runs x iterations per instance",
        "search iterations before",
        "score, mean (sd)",
        "95 % interval",
        "passes the best constants' score",
        "what it is",
    ]
    agent = result.agent
    rows = []
    for contender in _ranked(result):
        row = _cells(contender)
        if agent is not None:
            row.insert(5, "-" if contender is agent else _difference(agent, contender))
        rows.append([_inline(cell) for cell in [*row, contender.detail]])
    if agent is not None:
        header.insert(5, "agent minus it (95 %)")
    ruler = ["---"] * len(header)
    table = "\n".join("| " + " | ".join(row) + " |" for row in [header, ruler, *rows])
    counts = sorted({len(contender.scores) for contender in result.contenders})
    instances = " or ".join(str(count) for count in counts)
    return f"Test scores on {instances} held-out instances; more is better.\n\n{table}"


def _unbeaten(result: StudyResult, agent: ContenderResult) -> str:
    """Whoever is ahead of the agent, or not behind it beyond doubt."""
    rivals = [other for other in _ranked(result) if other is not agent]
    unbeaten = [other for other in rivals if paired_difference(agent.scores, other.scores)[1] <= 0.0]
    if not unbeaten:
        return "Nothing: the 95 % interval of the agent's lead over every other contender is above 0."
    return "\n".join(
        f"- **{_inline(other.name)}**: mean score {other.score_mean:.3f} against the agent's {agent.score_mean:.3f}, "
        f"with {_cost(other)} per instance against {_cost(agent)}. "
        f"Agent minus it: {_difference(agent, other)}{_verdict(agent, other)}."
        for other in unbeaten
    )


def _cost(contender: ContenderResult) -> str:
    runs = contender.runs_per_instance
    return f"{runs:,} run{'' if runs == 1 else 's'} of {contender.iterations_per_run:,} iterations"


def _difference(agent: ContenderResult, other: ContenderResult) -> str:
    mean, low, high = paired_difference(agent.scores, other.scores)
    if not isfinite(low):
        return f"{mean:+.3f} (one instance: no interval)"
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def _verdict(agent: ContenderResult, other: ContenderResult) -> str:
    _, low, high = paired_difference(agent.scores, other.scores)
    return "; the interval holds 0, so the two can't be told apart" if low <= 0.0 <= high else ""


def count(number: int) -> str:
    """At most three digits and a unit: 1.92M."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _inline(text: str) -> str:
    """Text that stays on one line and in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")

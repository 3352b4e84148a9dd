"""A comparison for people: a table for the terminal and one HTML page."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from rich import box
from rich.markup import escape as escape_markup
from rich.table import Table

from cluster.comparison.summary import ComparisonSummary, RivalSummary, in_runs
from cluster.results.report import count

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th:first-child, td:first-child, td.text { text-align: left; }
tr.agent { font-weight: 600; background: #fdf1ea; }
small { color: #666; font-weight: 400; white-space: nowrap; }
img { max-width: 100%; height: auto; }
</style>
</head>
<body>
$body
</body>
</html>
""")

AGAIN = (
    "A whole run along the schedule of each method's winner, from networks with a fresh seed: the score of its "
    "hyperparameters, without the luck of the best of several beginnings. Not charged to anybody's budget."
)


def summary_table(found: ComparisonSummary, title: str = "") -> Table:
    """The methods, best first: interquartile mean of the test scores at each budget."""
    studies = escape_markup(", ".join(found.iterations))
    table = Table(
        title=f"{title}test scores on {found.n_problems} held-out problems of {studies}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("method", overflow="fold")
    table.add_column("before", justify="right", no_wrap=True)
    for runs in found.budgets:
        table.add_column(in_runs(runs), justify="right", no_wrap=True)
    table.add_column(f"agent better\n({found.first})", justify="right", no_wrap=True)
    for each in found.methods:
        cells = [each.method.name, count(each.method.prepared)]
        cells += [f"{each.test[runs].value:.3f}" if runs in each.test else "-" for runs in found.budgets]
        first = min(each.test)
        cells.append(f"{each.lead[first].value:.0%}" if each.lead else "-")
        style = "bold" if each.method.name == found.agent else None
        table.add_row(*(escape_markup(cell) for cell in cells), style=style)
    return table


def describe_unbeaten(found: ComparisonSummary) -> list[str]:
    """What the agent did not beat, a line each; one line that says so if there is nothing."""
    if found.agent is None:
        return []
    lines = [
        f"{each.method.name}, {in_runs(runs)}: the agent with {found.first} is better with probability "
        f"{each.lead[runs].words()}{'; behind' if each.lead[runs].high < 0.5 else ''}"
        for each, runs in found.unbeaten()
    ]
    return lines or [
        f"Nothing: the agent with {found.first} is better than every method at every budget (95 % above 1/2)."
    ]


def report_html(
    found: ComparisonSummary,
    winners: ComparisonSummary | None,
    families: Mapping[str, ComparisonSummary],
    plots: Mapping[str, Path],
    about: Sequence[str],
) -> str:
    """The page; pictures are inside.

    Args:
        winners: what the methods returned, trained again; None if that was not done.
        families: study's name -> the standings in it alone, where there are several.
        plots: caption -> PNG file.
        about: lines on how the comparison was made.
    """
    names = ", ".join(found.iterations)
    parts = [f"<h1>qsynth compare: {escape(names)}</h1>", _list(about)]
    parts += ["<h2>Score against budget</h2>", _scores(found)]
    if found.agent is not None:
        parts += ["<h2>What the agent did not beat</h2>", _list(describe_unbeaten(found))]
    for caption, path in plots.items():
        data = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<h2>{escape(caption)}</h2>\n<img alt="{escape(caption)}" src="data:image/png;base64,{data}">')
    if found.agent is not None:
        parts += [f"<h2>Probability that the agent with {found.first} is better on a problem</h2>", _leads(found)]
    if winners is not None:
        parts += ["<h2>What they returned, trained again</h2>", f"<p>{AGAIN}</p>", _scores(winners)]
        parts += [] if winners.agent is None else [_leads(winners)]
    for name, alone in families.items():
        parts += [f"<h2>{escape(name)} alone</h2>", _scores(alone)]
    parts += ["<h2>Time to score, and uses until the agent's training pays</h2>", _times(found)]
    parts += ["<h2>What was spent, and what they are</h2>", _details(found)]
    return PAGE.substitute(title=f"qsynth compare: {escape(names)}", body="\n".join(parts))


def _scores(found: ComparisonSummary) -> str:
    header = ["method", "iterations before", *(in_runs(runs) for runs in found.budgets)]
    rows = []
    for each in found.methods:
        cells = [escape(each.method.name), count(each.method.prepared)]
        for runs in found.budgets:
            if runs in each.test:
                value = each.test[runs]
                cells.append(f"{value.value:.3f}<br><small>{value.low:.3f} to {value.high:.3f}</small>")
            else:
                cells.append("")
        rows.append((each, cells))
    words = "Interquartile mean of test scores over problems, with 95 % stratified bootstrap intervals; more is better."
    return f"<p>{words}</p>\n{_table(header, rows, found)}"


def _leads(found: ComparisonSummary) -> str:
    rows = []
    for each in found.methods:
        if each.lead:
            cells = [escape(each.method.name)]
            for runs in found.budgets:
                lead = each.lead.get(runs)
                if lead is None:
                    cells.append("")
                    continue
                won = f"{each.families[runs]} of {len(found.iterations)}, {each.seeds[runs]} of {found.n_problems}"
                cells.append(f"{lead.value:.2f}<br><small>{lead.low:.2f} to {lead.high:.2f}; {won}</small>")
            rows.append((each, cells))
    words = (
        "Paired by problem, with 95 % stratified bootstrap intervals; in how many studies its interquartile mean is "
        "higher; and under how many numbers of held-out problems its mean over the studies is."
    )
    return f"<p>{words}</p>\n" + _table(["than", *(f"with {in_runs(runs)}" for runs in found.budgets)], rows, found)


def _times(found: ComparisonSummary) -> str:
    target = ""
    if found.target is not None:
        score, whose = found.target
        target = f"The target is {score:.3f}, the validation score of {whose} after {in_runs(found.budgets[0])}. "
    words = (
        f"{target}Uses: GAN iterations of the agent's training, less those that went into the method before, over "
        "those that one use of the agent saves on the way to its own final validation score."
    )
    rows = [
        (
            each,
            [
                escape(each.method.name),
                "" if each.runs_to_target is None else f"{each.runs_to_target:.2f}",
                escape(each.uses_to_pay),
            ],
        )
        for each in found.methods
    ]
    return (
        f"<p>{escape(words)}</p>\n{_table(['method', 'runs to the target', 'uses until training pays'], rows, found)}"
    )


def _details(found: ComparisonSummary) -> str:
    header = ["method", "GAN iterations", "circuits", "shots", "trials", "failed", "what it is"]
    rows = []
    for each in found.methods:
        spent = each.spent()
        details = dict.fromkeys(each.method.details.values())
        what = (
            next(iter(details)) if len(details) == 1 else "; ".join(f"{s}: {d}" for s, d in each.method.details.items())
        )
        cells = [escape(each.method.name), *(count(spent[name]) for name in _SPENT), escape(what)]
        rows.append((each, cells))
    return _table(header, rows, found)


_SPENT = ("iterations", "circuits", "shots", "trials", "failed")


def _table(header: Sequence[str], rows: Sequence[tuple[RivalSummary, Sequence[str]]], found: ComparisonSummary) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for each, cells in rows:
        mark = ' class="agent"' if each.method.name == found.agent else ""
        body = "".join(
            f'<td class="text">{cell}</td>' if header[place] == "what it is" else f"<td>{cell}</td>"
            for place, cell in enumerate(cells)
        )
        lines.append(f"<tr{mark}>{body}</tr>")
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</table></div>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"

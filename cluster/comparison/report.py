"""A comparison for people: a table for the terminal and one HTML page."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from rich.markup import escape as escape_markup
from rich.table import Table

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.rows_report import bare_table, rows_html
from cluster.comparison.summary import ComparisonSummary, RivalSummary, in_runs
from cluster.comparison.trials_report import trials_html

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
th { white-space: nowrap; }
th:first-child, td:first-child, td.text { text-align: left; }
tr.agent { font-weight: 600; background: #fdf1ea; }
small { color: #666; font-weight: 400; white-space: nowrap; }
.conclusion { font-size: 1.1rem; padding: .6rem .9rem; background: #fdf1ea; border-left: 4px solid #D55E00; }
img { max-width: 100%; height: auto; }
</style>
</head>
<body>
$body
</body>
</html>
""")

AGAIN = (
    "A whole run along the schedule of each rival's winner, from networks with a fresh seed: the score of its "
    "hyperparameters, without the luck of the best of several beginnings. Not charged to anybody's budget."
)


def summary_table(summary: ComparisonSummary, title: str = "") -> Table:
    """The rivals, best first: interquartile mean of the test scores at each budget."""
    studies = escape_markup(", ".join(summary.iterations))
    table = bare_table(f"{title}test scores on {summary.n_problems} held-out problems of {studies}")
    table.add_column("rival", overflow="fold")
    table.add_column("before", justify="right", no_wrap=True)
    for runs in summary.budgets:
        table.add_column(in_runs(runs), justify="right", no_wrap=True)
    table.add_column(f"{summary.ours} better\n({summary.first})", justify="right", no_wrap=True)
    for each in summary.rivals:
        cells = [each.rival.name, count(each.rival.prepared)]
        cells += [f"{each.test[runs].value:.3f}" if runs in each.test else "-" for runs in summary.budgets]
        first = min(each.test)
        cells.append(f"{each.lead[first].value:.0%}" if each.lead else "-")
        style = "bold" if each.rival.name == summary.agent else None
        table.add_row(*(escape_markup(cell) for cell in cells), style=style)
    return table


def describe_unbeaten(summary: ComparisonSummary) -> list[str]:
    """What the agent did not beat, a line each; one line that says so if there is nothing."""
    if summary.agent is None:
        return []
    lines = [
        f"{each.rival.name}, {in_runs(runs)}: the {summary.ours} with {summary.first} is better with probability "
        f"{each.lead[runs].describe()}{'; behind' if each.lead[runs].high < 0.5 else ''}"
        for each, runs in summary.unbeaten()
    ]
    return lines or [
        f"Nothing: the {summary.ours} with {summary.first} is better than every rival at every budget (95 % above 1/2)."
    ]


def report_html(result: ComparisonResult, title: str, plots: Mapping[str, Path], about: Sequence[str]) -> str:
    """The page; pictures are inside.

    Args:
        plots: caption -> PNG file.
        about: lines on how the comparison was made.
    """
    summary, winners = result.summary, result.retrained_summary
    parts = [f"<h1>{escape(title)}</h1>"]
    parts += [] if result.rows is None else [f'<p class="conclusion">{escape(result.rows.conclusion)}</p>']
    parts += [_list(about), "<h2>Score against budget</h2>", _scores(summary)]
    parts += [] if result.rows is None else ["<h2>Yardsticks beside the GAN</h2>", rows_html(result.rows)]
    if summary.agent is not None:
        parts += [f"<h2>What the {summary.ours} did not beat</h2>", _list(describe_unbeaten(summary))]
    for caption, path in plots.items():
        data = base64.b64encode(path.read_bytes()).decode()
        parts.append(f'<h2>{escape(caption)}</h2>\n<img alt="{escape(caption)}" src="data:image/png;base64,{data}">')
    if summary.agent is not None:
        parts += [
            f"<h2>Probability that the {summary.ours} with {summary.first} is better on a problem</h2>",
            _leads(summary),
        ]
    if winners is not None:
        parts += ["<h2>What they returned, trained again</h2>", f"<p>{AGAIN}</p>", _scores(winners)]
        parts += [] if winners.agent is None else [_leads(winners)]
    parts += trials_html(result)
    for name, alone in result.families.items():
        parts += [f"<h2>{escape(name)} alone</h2>", _scores(alone)]
        parts += [rows_html(result.rows_of_families[name])] if name in result.rows_of_families else []
    parts += [f"<h2>Time to score, and uses until the {summary.ours}'s training pays</h2>", _times(summary)]
    parts += ["<h2>What was spent, and what they are</h2>", _details(summary)]
    return PAGE.substitute(title=escape(title), body="\n".join(parts))


def _scores(summary: ComparisonSummary) -> str:
    header = ["rival", "iterations before", *(in_runs(runs) for runs in summary.budgets)]
    rows = []
    for each in summary.rivals:
        cells = [escape(each.rival.name), count(each.rival.prepared)]
        for runs in summary.budgets:
            if runs in each.test:
                value = each.test[runs]
                cells.append(f"{value.value:.3f}<br><small>{value.low:.3f} to {value.high:.3f}</small>")
            else:
                cells.append("")
        rows.append((each, cells))
    words = "Interquartile mean of test scores over problems, with 95 % stratified bootstrap intervals; more is better."
    return f"<p>{words}</p>\n{_table(header, rows, summary)}"


def _leads(summary: ComparisonSummary) -> str:
    rows = []
    for each in summary.rivals:
        if each.lead:
            cells = [escape(each.rival.name)]
            for runs in summary.budgets:
                lead = each.lead.get(runs)
                if lead is None:
                    cells.append("")
                    continue
                won = f"{each.families[runs]} of {len(summary.iterations)}, {each.seeds[runs]} of {summary.n_problems}"
                cells.append(f"{lead.value:.2f}<br><small>{lead.low:.2f} to {lead.high:.2f}; {won}</small>")
            rows.append((each, cells))
    words = (
        "Paired by problem, with 95 % stratified bootstrap intervals; in how many studies its interquartile mean is "
        "higher; and under how many numbers of held-out problems its mean over the studies is."
    )
    return f"<p>{words}</p>\n" + _table(["than", *(f"with {in_runs(runs)}" for runs in summary.budgets)], rows, summary)


def _times(summary: ComparisonSummary) -> str:
    target = ""
    if summary.target is not None:
        score, whose = summary.target
        target = f"The target is {score:.3f}, the validation score of {whose} after {in_runs(summary.budgets[0])}. "
    words = (
        f"{target}Uses: GAN iterations of the {summary.ours}'s training, less those that went into the rival before, "
        f"over those that one use of the {summary.ours} saves on the way to its own final validation score."
    )
    rows = [
        (
            each,
            [
                escape(each.rival.name),
                "" if each.runs_to_target is None else f"{each.runs_to_target:.2f}",
                escape(each.uses_to_pay),
            ],
        )
        for each in summary.rivals
    ]
    return (
        f"<p>{escape(words)}</p>\n{_table(['rival', 'runs to the target', 'uses until training pays'], rows, summary)}"
    )


def _details(summary: ComparisonSummary) -> str:
    header = ["rival", "GAN iterations", "circuits", "shots", "trials", "failed", "what it is"]
    rows = []
    for each in summary.rivals:
        spent = each.spent()
        details = dict.fromkeys(each.rival.details.values())
        what = (
            next(iter(details)) if len(details) == 1 else "; ".join(f"{s}: {d}" for s, d in each.rival.details.items())
        )
        cells = [escape(each.rival.name), *(count(spent[name]) for name in _SPENT), escape(what)]
        rows.append((each, cells))
    return _table(header, rows, summary)


_SPENT = ("iterations", "circuits", "shots", "trials", "failed")


def _table(
    header: Sequence[str], rows: Sequence[tuple[RivalSummary, Sequence[str]]], summary: ComparisonSummary
) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for each, cells in rows:
        mark = ' class="agent"' if each.rival.name == summary.agent else ""
        body = "".join(
            f'<td class="text">{cell}</td>' if header[place] == "what it is" else f"<td>{cell}</td>"
            for place, cell in enumerate(cells)
        )
        lines.append(f"<tr{mark}>{body}</tr>")
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</table></div>"


def _list(lines: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>"


def count(number: int) -> str:
    """At most three digits and a unit: 1.92M."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)

"""What rows are worth, for people: a table for the terminal, for HTML and for Markdown."""

from collections.abc import Sequence
from html import escape

from rich import box
from rich.markup import escape as escape_markup
from rich.table import Table

from cluster.comparison.rows_summary import RowsResult, RowsSummary

ABOUT = (
    "Means of test scores over problems, with 95 % intervals, and of the utilities that they are the mean of; more is "
    "better. The GAN above: by how much its score is higher on the same problem. Memorised: the share of rows that are "
    "nearer to a training row than to a row of a second real sample, 0.5 for real rows and 1 for copies. CPU seconds "
    "are of one problem: what training or learning took."
)

NARROW = {"GAN above": "GAN\nabove", "memorised": "memo-\nrised", "CPU s": "CPU\ns"}  # so that all fit in 80 columns


def bare_table(title: str) -> Table:
    """A table for the terminal, without columns yet, as narrow as it can be."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)


def rows_table(rows: RowsSummary) -> Table:
    """The GAN's rows, and below them everybody else's."""
    table = bare_table(f"yardsticks beside the GAN, on {rows.n_problems} problem{'s' * (rows.n_problems > 1)}")
    terms = list(rows.gan.terms)
    for place, heading in enumerate(_header(rows)):
        narrow = f"{heading[:3]}." if heading in terms else NARROW.get(heading, heading)
        table.add_column(narrow, justify="right" if place else "left", no_wrap=bool(place))
    for each in (rows.gan, *rows.others):
        style = "bold" if each is rows.gan else "dim" if each.ceiling else None
        table.add_row(*(escape_markup(cell) for cell in _cells(rows, each)), style=style)
    table.caption, table.caption_justify = f"utilities: {', '.join(terms)}", "left"
    return table


def rows_html(rows: RowsSummary) -> str:
    """The table with intervals, and what its columns are."""
    header = "".join(f"<th>{escape(cell)}</th>" for cell in (*_header(rows), "what it is"))
    lines = []
    for each in (rows.gan, *rows.others):
        mark = ' class="agent"' if each is rows.gan else ""
        cells = [escape(cell) for cell in _cells(rows, each)]
        cells[1] += f"<br><small>{each.score.low:.3f} to {each.score.high:.3f}</small>"
        if each.gan is not None:
            cells[2] += f"<br><small>{each.gan.low:+.3f} to {each.gan.high:+.3f}</small>"
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        lines.append(f'<tr{mark}>{body}<td class="text">{escape(each.detail)}</td></tr>')
    table = f'<div class="wide"><table>\n<tr>{header}</tr>\n' + "\n".join(lines) + "\n</table></div>"
    return f"<p>{escape(rows.conclusion)}.</p>\n{table}\n<p>{escape(ABOUT)}</p>"


def rows_markdown(rows: RowsSummary) -> str:
    """The same without intervals."""
    header = _header(rows)
    body = [_cells(rows, each) for each in (rows.gan, *rows.others)]
    cells: Sequence[Sequence[str]] = [header, ["---"] * len(header), *body]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)
    return f"{table}\n\n{ABOUT}"


def _header(rows: RowsSummary) -> list[str]:
    return ["rows of", "score", "GAN above", *rows.gan.terms, "memorised", "CPU s"]


def _cells(rows: RowsSummary, each: RowsResult) -> list[str]:
    name = f"the GAN ({each.name})" if each is rows.gan else each.name
    terms = [f"{each.terms[name]:.2f}" if name in each.terms else "-" for name in rows.gan.terms]
    lead = "-" if each.gan is None else f"{each.gan.value:+.3f}"
    memorised = "-" if each.memorised is None else f"{each.memorised:.2f}"
    return [name, f"{each.score.value:.3f}", lead, *terms, memorised, _seconds(each.cpu_seconds)]


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"

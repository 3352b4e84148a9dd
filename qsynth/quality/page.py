"""The report as one HTML page."""

from collections.abc import Mapping, Sequence
from html import escape

from qsynth.files.html_page import html_page, html_picture
from qsynth.quality.column_view import ColumnView
from qsynth.quality.features import Floats
from qsynth.quality.number import Number
from qsynth.quality.pair_view import PairView
from qsynth.quality.pictures import (
    CLASSES,
    OTHER,
    REAL,
    SYNTHETIC,
    associations_picture,
    bars_picture,
    bins_picture,
    scatter_picture,
)
from qsynth.quality.scatter import Scatter

MAX_PICTURES = 24
WORDS = ("kind", "with", "what it means")  # columns of tables that hold no numbers
IN_BARS = ("c2st_auc", "tstr_linear", "tstr_forest", "tstr_qnn")

STYLE = """th { min-width: 3.6rem; } th.text, td.text { text-align: left; overflow-wrap: anywhere; }
td.text { min-width: 7rem; } td.meaning { min-width: 18rem; max-width: 34rem; color: #444; text-align: left; }
td.value { font-weight: 600; white-space: nowrap; } td.value small { display: block; font-weight: 400; }
.name { white-space: pre-wrap; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; }
figure { margin: 0; } figcaption { font-size: .85rem; overflow-wrap: anywhere; }
.levels { display: grid; grid-template-columns: 7rem 1fr; gap: .3rem .5rem; font-size: .75rem; margin: .4rem 0; }
.level { text-align: right; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar { display: block; height: .5rem; margin-top: .1rem; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin: 0 .3em 0 .9em; }
"""


def page(
    *,
    title: str,
    summary: str,
    numbers: Sequence[Number],
    columns: Sequence[ColumnView],
    pairs: Sequence[PairView],
    associations: tuple[Floats, Floats],
    scatter: Scatter | None,
    scores: Mapping[str, float],
    notes: Sequence[str],
) -> str:
    """The text of the page; every word from the data is escaped, every picture inside."""
    parts = [f'<p class="summary">{escape(summary)}</p>']
    parts += _bars(numbers) + _columns(columns) + _associations(columns, associations) + _scatter(scatter)
    parts += ["<h2>Numbers</h2>", _numbers(numbers)]
    if scores:
        rows = [[_name(name), f"{score:.3f}"] for name, score in scores.items()]
        parts += ["<h2>qsynth's score</h2>", _table(["rows of", "score"], rows)]
    parts += ["<h2>Columns</h2>", _column_table(columns)]
    if pairs:
        parts += [f"<h2>The {len(pairs)} pairs of columns that differ most</h2>", _pair_table(pairs)]
    parts += ["<h2>How it was measured</h2>", "<ul>", *(f"<li>{escape(note)}</li>" for note in notes), "</ul>"]
    return html_page(title, parts, STYLE)


def _bars(numbers: Sequence[Number]) -> list[str]:
    shown = [number for number in numbers if number.key in IN_BARS and number.value is not None]
    if not shown:
        return []
    words = (
        "Told apart from real rows (C2ST; low is good) and useful in their place (TSTR; high is good); "
        "the dashed line is real rows."
    )
    return ["<h2>At a glance</h2>", f"<p>{words}</p>", html_picture(bars_picture(shown), "bars of the main numbers")]


def _columns(columns: Sequence[ColumnView]) -> list[str]:
    if not columns:
        return []
    worst = sorted(range(len(columns)), key=lambda at: -(columns[at].distance or 0.0))[:MAX_PICTURES]
    shown = [columns[at] for at in sorted(worst)]
    which = f"; the {len(shown)} of {len(columns)} that differ most" if len(shown) < len(columns) else ""
    figures = []
    for view in shown:
        gap = "no values on one side" if view.distance is None else f"distance {view.distance:.2f}"
        caption = f"<figcaption>{_name(view.name)} <small>{gap}{_missing(view)}</small></figcaption>"
        shares = html_picture(bins_picture(view), f"shares of {view.name}") if view.edges else _levels(view)
        figures.append(f"<figure>{caption}{shares}</figure>")
    key = f'<p class="key">{_swatch(REAL)}real {_swatch(SYNTHETIC)}synthetic{which}</p>'
    return ["<h2>Columns, real and synthetic</h2>", key, f'<div class="grid">{"".join(figures)}</div>']


def _levels(view: ColumnView) -> str:
    """Bars of a column's levels as parts of the page, where every alphabet has a font."""
    largest = max((*view.shares[0], *view.shares[1], 1e-9))
    rows = []
    for name, *shares in zip(view.places, *view.shares, strict=True):
        bars = (
            f'<span class="bar" title="{share:.1%}" style="width:{100 * share / largest:.1f}%;background:{hue}"></span>'
            for share, hue in zip(shares, (REAL, SYNTHETIC), strict=True)
        )
        rows.append(f'<span class="level" title="{escape(name)}">{escape(name)}</span><span>{"".join(bars)}</span>')
    return f'<div class="levels">{"".join(rows)}</div>'


def _missing(view: ColumnView) -> str:
    if not any(view.missing):
        return ""
    return f", missing {view.missing[0]:.1%} real, {view.missing[1]:.1%} synthetic"


def _associations(columns: Sequence[ColumnView], associations: tuple[Floats, Floats]) -> list[str]:
    if len(columns) < 2:
        return []
    words = (
        "How strongly columns go together: correlation of numbers, correlation ratio with levels, Cramér's V of levels."
    )
    picture = associations_picture([view.name for view in columns], *associations)
    return ["<h2>Pairs of columns</h2>", f"<p>{words}</p>", html_picture(picture, "associations of pairs of columns")]


def _scatter(scatter: Scatter | None) -> list[str]:
    if scatter is None:
        return []
    keys = [f"{_swatch(colour)}{_name(name)}" for colour, name in zip(CLASSES, scatter.classes, strict=False)]
    others = any(len(scatter.classes) in each for each in (scatter.real_colours, scatter.synthetic_colours))
    if scatter.classes and others:
        keys.append(f"{_swatch(OTHER)}others")
    words = f"The first two principal components of the real rows keep {scatter.share:.0%} of their variance."
    key = f'<p class="key">{"".join(keys)}</p>' if keys else ""
    return [
        "<h2>All columns in a plane</h2>",
        f"<p>{words}</p>{key}",
        html_picture(scatter_picture(scatter), "rows in a plane"),
    ]


def _numbers(numbers: Sequence[Number]) -> str:
    beside = list(dict.fromkeys(name for number in numbers for name in number.beside))
    rows = []
    for number in numbers:
        others = [_value(number.beside.get(name)) for name in beside]
        reason = f" <small>Not here: {escape(number.reason)}.</small>" if number.reason else ""
        meaning = f'<td class="meaning">{escape(number.meaning)}{reason}</td>'
        value = f'<td class="value">{_value(number.value)}{_interval(number)}</td>'
        rows.append([_name(number.title), value, _value(number.reference), *others, meaning])
    return _table(["", "synthetic", "real rows", *map(_name, beside), "what it means"], rows)


def _interval(number: Number) -> str:
    if number.interval is None:
        return ""
    low, high = number.interval
    return f"<small>{_value(low)} to {_value(high)}</small>"


def _column_table(columns: Sequence[ColumnView]) -> str:
    rows = [
        [
            _name(view.name),
            f'<td class="text">{escape(view.kind)}</td>',
            f"{_value(view.distance)} <small>{'KS' if view.edges else 'TV'}</small>",
            _value(view.floor),
            *(_value(mean, 4) for mean in view.means),
            *(f"{share:.1%}" for share in view.missing),
        ]
        for view in columns
    ]
    header = ["column", "kind", "distance", "real on real", "mean, real", "synthetic", "missing, real", "synthetic"]
    words = (
        "Distance: Kolmogorov-Smirnov statistic (KS) of numbers, total variation (TV) of levels; "
        "means of dates are their numbers."
    )
    return f"<p>{words}</p>\n{_table(header, rows)}"


def _pair_table(pairs: Sequence[PairView]) -> str:
    rows = [
        [_name(pair.first), f'<td class="text">{_name(pair.second)}</td>', f"{pair.real:.2f}", f"{pair.synthetic:.2f}"]
        for pair in pairs
    ]
    return _table(["column", "with", "real", "synthetic"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first of a row is text."""
    words = {0, *(at for at, cell in enumerate(header) if cell in WORDS)}
    head = "".join(
        f'<th class="text">{cell}</th>' if at in words else f"<th>{cell}</th>" for at, cell in enumerate(header)
    )
    lines = []
    for first, *others in rows:
        cells = (cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in others)
        lines.append(f'<tr><td class="text">{first}</td>{"".join(cells)}</tr>')
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</table></div>"


def _name(name: str) -> str:
    return f'<span class="name">{escape(name)}</span>'


def _value(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}g}" if abs(value) >= 1000 or digits != 3 else f"{value:.3f}"


def _swatch(colour: str) -> str:
    return f'<span class="swatch" style="background:{colour}"></span>'

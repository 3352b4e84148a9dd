"""Self-contained HTML pages of one look: text, tables, and pictures inside."""

import base64
from collections.abc import Sequence
from html import escape
from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.summary { font-size: 1.05rem; padding: .6rem .9rem; background: #fdf1ea; border-left: 4px solid #D55E00; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
.plain th:first-child, .plain td:first-child { text-align: left; } .plain tr.marked td { background: #fdf1ea; }
img { max-width: 100%; height: auto; display: block; }
small { color: #666; }
$style</style>
</head>
<body>
$body
</body>
</html>
""")


def html_page(title: str, parts: Sequence[str], style: str = "") -> str:
    """A page of parts that are HTML already; the title is escaped.

    Args:
        style: rules of its own beside those that all pages have.
    """
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    return PAGE.substitute(title=escape(title), style=style, body=body)


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()) -> str:
    """A table of texts, all escaped; marked rows stand out."""
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>"]
    for number, row in enumerate(rows):
        style = ' class="marked"' if number < len(marked) and marked[number] else ""
        lines.append(f"<tr{style}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>")
    return '<div class="wide"><table class="plain">' + "".join(lines) + "</table></div>"


def html_picture(png: bytes, words: str) -> str:
    """A PNG picture inside the page; ``words`` are for those who can't see it."""
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'

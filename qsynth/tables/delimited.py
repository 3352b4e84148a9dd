"""Lines of fields: their encoding, what separates the fields, and whether all lines have equally many."""

import codecs
import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from qsynth.errors import DataError, FileError
from qsynth.tables.text_values import is_number

SEPARATORS = (",", "\t", ";", "|")
_PROBE = 200


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines:
    """All fields of a file as text.

    Attributes:
        cells: lines x fields, the header line first.
        separator: between fields.
        short_header: whether the header line has no name for the first field.
        remarks: what was left out.
    """

    cells: pd.DataFrame
    separator: str
    short_header: bool
    remarks: tuple[str, ...]


def decoded(path: Path | str, content: bytes) -> tuple[str, str | None]:
    """Text with line feeds at line ends, and the encoding if it had to be guessed.

    Raises:
        FileError: it is no text.
    """
    encoding = None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _strict(path, content, "utf-16")
    elif len(content) > 3 and content[1::2].count(0) > 0.4 * len(content):
        text, encoding = _strict(path, content, "utf-16-le"), "UTF-16"
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            if b"\0" in content:
                raise FileError(f"{path} must be a CSV table; got bytes that are no text") from None
            try:
                text, encoding = content.decode("cp1252"), "Windows-1252"
            except UnicodeDecodeError:
                text, encoding = content.decode("latin-1"), "Latin-1"
    if "\0" in text:
        raise FileError(f"{path} must be a CSV table; got bytes that are no text")
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def _strict(path: Path | str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise FileError(f"{path} must be UTF-8 text; save it in that encoding") from None


def read_lines(path: Path | str, text: str, *, tab: bool) -> Lines:
    """The fields of all lines that are not blank.

    Args:
        tab: whether the file's name says that tabs separate the fields.

    Raises:
        QsynthError: no lines, or lines of different numbers of fields; names the first two.
    """
    whole = text
    text, n_comments = _without_comments(text.lstrip("\n"))
    if not text.strip():
        raise DataError(f"{path} must have a header line and rows; got an empty file")
    separator = "\t" if tab and "\t" in text.partition("\n")[0] else _separator(text)
    n_before = whole.count("\n") - text.count("\n")
    spaced = _by_spaces(text) if separator is None else None
    remarks = [f"{n_comments} comment lines before the header line are left out"] if n_comments else []
    if spaced is not None:
        text, separator = spaced, "\t"
        remarks.append("fields are separated by spaces")
    separator = separator or ","
    first, other, ends_empty = _shape(path, text, separator, n_before)
    width = other if other is not None else first
    cells = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        header=None,
        names=list(range(width)),
        index_col=False,
        dtype=str,
        na_filter=False,
        skip_blank_lines=True,
        engine="c",
    )
    if width == first + 1 and ends_empty:
        cells, remarks = cells.iloc[:, :-1], [*remarks, "the separator at the end of each row is left out"]
        width = first
    return Lines(cells=cells.fillna(""), separator=separator, short_header=width == first + 1, remarks=tuple(remarks))


def _without_comments(text: str) -> tuple[str, int]:
    """Text from the header line on, and how many lines before it began with ``#``."""
    count, rest = 0, text
    while rest.startswith("#"):
        line, _, behind = rest.partition("\n")
        following = next((each for each in behind.split("\n", 3)[:3] if each and not each.startswith("#")), "")
        if any(line.count(mark) == following.count(mark) > 0 for mark in SEPARATORS):
            break
        count, rest = count + 1, behind.lstrip("\n")
    return rest, count


def _separator(text: str) -> str | None:
    """The separator by which the most lines have as many fields as the header line, and the most fields."""
    scores = {}
    for mark in SEPARATORS:
        counts = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=mark), _PROBE) if row]
        if counts and counts[0] > 1:
            scores[mark] = (round(counts.count(counts[0]) / len(counts), 1), counts[0])
    return max(scores, key=lambda mark: scores[mark]) if scores else None


def _by_spaces(text: str) -> str | None:
    """The same with one tab between fields that any number of spaces separates; None unless they hold numbers."""
    rows = [[cell for cell in row if cell] for row in csv.reader(io.StringIO(text.replace("\t", " ")), delimiter=" ")]
    rows = [row for row in rows if row]
    if len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows[1:]}) > 1:
        return None
    if len(rows[1]) - len(rows[0]) not in (0, 1):  # the header line may have no name for the first
        return None
    if 2 * sum(map(is_number, rows[1])) < len(rows[1]):
        return None
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _shape(path: Path | str, text: str, separator: str, n_before: int) -> tuple[int, int | None, bool]:
    """Fields of the header line; of all others if that is another number; whether all others end in an empty field."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    first = len(next(row for row in reader if row))
    first_line, width, ends_empty = reader.line_num + n_before, None, True
    for row in reader:
        if not row:
            continue
        if width is None:
            width = len(row) if len(row) == first + 1 else first
        if len(row) != width:
            at, expected = (first_line, first) if width == first else (first_line + 1, width)
            raise FileError(
                f"{path} must have equally many fields in all lines; line {at} has {expected} fields, "
                f"line {reader.line_num + n_before} has {len(row)}"
            )
        ends_empty = ends_empty and not row[-1]
    return first, width if width != first else None, ends_empty

"""The names of a file's columns: from its header line, or made where there is none."""

import numpy as np
import pandas as pd

from qsynth.tables.remark import Remark
from qsynth.tables.text_values import MISSING, may_be_number

_PROBE = 500
_SAME_TYPE = 0.9


def named(cells: pd.DataFrame, *, short: bool) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """The rows below the header line under its names.

    Args:
        cells: lines x fields, text.
        short: whether the header line has no name for the first field.
    """
    first = [str(cell).strip() for cell in cells.iloc[0]]
    if not short and _headerless(first, cells.iloc[1 : 1 + _PROBE]):
        names = [f"column_{place + 1}" for place in range(len(first))]
        text = (
            f"the first line, {', '.join(first)[:60]}, looks like a row and not like names: the columns are called "
            f"{names[0]} to {names[-1]}. Write a header line if it is one"
        )
        return cells.set_axis(names, axis=1), (Remark(text, warning=True),)
    if short:
        first = ["", *first[:-1]]
    rows = cells.iloc[1:].reset_index(drop=True).set_axis(range(len(first)), axis=1)
    return _with_names(rows, first)


def _with_names(rows: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    remarks, kept = [], []
    for place, name in enumerate(names):
        if name:
            kept.append(place)
            continue
        values = rows[place].str.strip()
        if values.isin(MISSING).all() and len(names) > 1:
            remarks.append(Remark(f"column {place + 1} has neither a name nor values: left out"))
        elif place == 0 and _counts(values) and len(names) > 1:
            remarks.append(Remark("the first column has no name and counts the rows: left out"))
        else:
            kept.append(place)
            names[place] = _free(f"column_{place + 1}", names)
            remarks.append(Remark(f"column {place + 1} has no name: called {names[place]}", names[place]))
    return rows[kept].set_axis([names[place] for place in kept], axis=1), tuple(remarks)


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _counts(values: pd.Series) -> bool:
    """Whether a column is 0, 1, 2, ... or 1, 2, 3, ..."""
    if not len(values) or values.iloc[0] not in ("0", "1"):
        return False
    numbers = np.arange(len(values)) + int(values.iloc[0])
    return values.tolist() == [str(number) for number in numbers]


def _headerless(first: list[str], rows: pd.DataFrame) -> bool:
    """Whether the first line is a row: numbers stand where numbers are, or each text is there again below."""
    if not len(rows):
        return bool(first) and all(may_be_number(cell) for cell in first)
    numeric = [place for place in range(len(first)) if _is_numeric(rows.iloc[:, place])]
    if not numeric:
        return len(first) > 1 and all(
            cell and cell not in MISSING and (rows.iloc[:, place].str.strip() == cell).any()
            for place, cell in enumerate(first)
        )
    cells = [first[place] for place in numeric]
    if not all(cell in MISSING or may_be_number(cell) for cell in cells) or all(cell in MISSING for cell in cells):
        return False
    return not _running(cells)


def _is_numeric(values: pd.Series) -> bool:
    present = [value for value in values if value.strip() not in MISSING]
    return bool(present) and sum(map(may_be_number, present)) >= _SAME_TYPE * len(present)


def _running(cells: list[str]) -> bool:
    """Whether numbers are names, as years and places are: at least two whole ones at equal distances."""
    if len(cells) < 2 or not all(cell.isdigit() for cell in cells):
        return False
    steps = np.diff([int(cell) for cell in cells])
    return bool(steps[0] != 0 and (steps == steps[0]).all())

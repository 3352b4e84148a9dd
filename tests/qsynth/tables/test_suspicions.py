"""What is suspicious is said before work starts; an ordinary table is not suspected."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.tables.inference import infer_schema

N = 90
RNG = np.random.default_rng(8)


def remarks(target: str | None = "group", **columns: Any) -> list[tuple[str | None, str, bool]]:
    base = {"u": RNG.normal(size=N), "v": RNG.lognormal(size=N), "group": ["red", "blue", "green"] * (N // 3)}
    _, found = infer_schema(pd.DataFrame({**base, **columns}), target)
    return [(remark.column, remark.text, remark.warning) for remark in found]


def test_an_ordinary_table() -> None:
    heavy = RNG.standard_cauchy(N)
    assert remarks(age=RNG.integers(0, 99, N), pay=heavy, flag=[0, 1] * 45, ok=["yes", "no"] * 45) == []


def replaced(values: Any, *found: tuple[int, float]) -> np.ndarray:
    values = np.array(values, dtype=np.float64)
    for row, value in found:
        values[row] = value
    return values


@pytest.mark.parametrize(
    ("columns", "column", "text", "warning"),
    [
        ({"no": RNG.normal(size=N)}, "no", "write it as 'no', in quotes", False),
        (
            {"c": ["RED ", "red", "blue", "red", "blue"] * 18},
            "c",
            "has 'RED ' and 'red', which differ only in case or spaces",
            True,
        ),
        ({"group": ["ok"] * 86 + ["fraud"] * 4}, "group", "fewer than 5 rows, too few to learn from: 'fraud' 4", True),
        ({"code": [7, 1, 4] * 30}, "code", "tells the target 'group' exactly", True),
        ({"x": replaced(RNG.normal(size=N), (3, 1e9))}, "x", "has 1e+09 in 1 rows, far outside", True),
        ({"x": replaced(RNG.integers(0, 90, N), (3, -999), (9, -999))}, "x", "has -999 in 2 rows", True),
        ({"x": replaced(RNG.integers(0, 90, N), (3, 9999))}, "x", "has 9999 in 1 rows", True),
        ({"x": np.where(np.arange(N) % 4, np.nan, RNG.normal(size=N))}, "x", "is missing in 74% of the rows", False),
        ({"x": 3}, "x", "has one value in all rows: kept as it is", False),
        ({"patient_id": RNG.permutation(N) + 500}, "patient_id", "taken as an id, made anew and not learned", False),
    ],
)
def test_said(columns: dict[str, Any], column: str, text: str, warning: bool) -> None:
    [(where, what, loud)] = remarks(**columns)
    assert where == column
    assert text in what
    assert loud == warning


def test_a_quantity_that_leaks() -> None:
    y = RNG.normal(size=N)
    assert [where for where, text, _ in remarks("y", y=y, z=3 - 2 * y, w=y**3) if "exactly" in text] == ["z"]

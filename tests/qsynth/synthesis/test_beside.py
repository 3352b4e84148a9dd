"""Rows of yardsticks are rows of the table."""

import numpy as np
import pandas as pd
import pytest

from qsynth.synthesis.beside import yardstick_rows
from qsynth.tables.inference import infer_schema

N = 120


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    kind = np.repeat(["a", "b"], [N // 4, N - N // 4])
    x = random.normal(size=N) + 4 * (kind == "b")
    gappy = np.where(random.random(N) < 0.2, np.nan, random.integers(1, 90, N))
    return pd.DataFrame({"kind": kind, "x": x, "y": -x + 0.1 * random.normal(size=N), "gappy": gappy})


@pytest.mark.parametrize("target", ["kind", "x", None])
def test_they_have_its_form_and_what_goes_together(table: pd.DataFrame, target: str | None) -> None:
    schema, _ = infer_schema(table, target)
    made = yardstick_rows(schema, table, 200, 0)
    assert list(made) == ["Gaussian mixture", "kernel density", "SMOTE", "duplication"]
    for rows in made.values():
        schema.check(rows)
        assert len(rows) == 200
        assert rows["x"].corr(rows["y"]) < -0.8
        assert rows["gappy"].isna().mean() == pytest.approx(0.2, abs=0.12)
    pd.testing.assert_frame_equal(made["SMOTE"], yardstick_rows(schema, table, 200, 0)["SMOTE"])
    again = made["duplication"].merge(table.drop_duplicates(), how="left", indicator=True)
    assert (again["_merge"] == "both").all(), "the rows themselves"
    assert not made["SMOTE"].equals(yardstick_rows(schema, table, 200, 1)["SMOTE"])


def test_rows_without_a_target_are_left_out(table: pd.DataFrame) -> None:
    gaps = table.assign(kind=table["kind"].where(np.arange(N) % 5 > 0))
    schema, _ = infer_schema(gaps, "kind")
    assert set(yardstick_rows(schema, gaps, 50, 0)["duplication"]["kind"]) == {"a", "b"}


def test_few_rows_have_none(table: pd.DataFrame) -> None:
    few = table.iloc[26:33].reset_index(drop=True)
    schema, _ = infer_schema(few, "kind")
    assert yardstick_rows(schema, few, 10, 0) == {}

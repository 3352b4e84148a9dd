"""What people have met with their own tables: read, described, coded and decoded, each comes back as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.errors import QsynthError
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import read_rows
from qsynth.tables.writing import write_rows

N = 90
RNG = np.random.default_rng(13)
NUMBERS = {name: RNG.normal(size=N).round(4) for name in "abc"}
GROUP = ["blue", "red"] * (N // 2)

# What a user's table has -> columns, target, kinds of columns, classes.
CASES: dict[str, tuple[dict[str, Any], str | None, dict[str, str], tuple[str, ...]]] = {
    "dollar_income": ({"income": ["$0-$50K", "$50K_$100K"] * 45}, "income", {}, ("$0-$50K", "$50K_$100K")),
    "dollar_names": ({"$in_$": NUMBERS["a"], "c_{x": NUMBERS["b"], "$^$": GROUP}, "$^$", {}, ("blue", "red")),
    "underscores": ({"group": ["_other", "_none"] * 45}, "group", {}, ("_none", "_other")),
    "unicode": ({"größe (cm)": NUMBERS["a"], "poids_é🙂": GROUP}, "poids_é🙂", {}, ("blue", "red")),
    "newline in a name": ({"b\nunit": NUMBERS["a"], "group": GROUP}, "group", {"b\nunit": "number"}, ("blue", "red")),
    "long name": ({"x" * 300: NUMBERS["a"]}, None, {"x" * 300: "number"}, ("all",)),
    "whole numbers": ({"age": RNG.integers(18, 90, N)}, None, {"age": "integer"}, ("all",)),
    "truths": ({"smoker": [True, False] * 45, "group": [True, True, False] * 30}, "group", {"smoker": "boolean"},
               ("False", "True")),
    "yes and no": ({"smoker": ["yes", "no"] * 45}, None, {"smoker": "category"}, ("all",)),
    "one-hot": ({"city_0": [0.0, 1.0] * 45, "city_1": 0.0}, None, {"city_0": "category", "city_1": "constant"},
                ("all",)),
    "numbers as classes": ({"group": [2, 1, 10] * 30}, "group", {}, ("1", "2", "10")),
    "fractions as classes": ({"group": [2.0, 1.0] * 45}, "group", {}, ("1.0", "2.0")),
    "a feature called label": ({"label": NUMBERS["a"], "group": GROUP}, "group", {"label": "number"}, ("blue", "red")),
    "target in the middle": ({"group": GROUP, "z": NUMBERS["c"]}, "group", {}, ("blue", "red")),
    "4 of 4,004": ({"group": ["fraud"] * 4 + ["ok"] * 86}, "group", {}, ("fraud", "ok")),
    "yaml words": ({"no": NUMBERS["a"], "null": GROUP}, "null", {"no": "number"}, ("blue", "red")),
    "missing": ({"x": [None, 1.5, 2.25] * 30, "k": [None, 3, 4, 5, 6] * 18}, None, {"x": "category", "k": "integer"},
                ("all",)),
    "dates": ({"visited": pd.date_range("2021-01-01", periods=N).strftime("%Y-%m-%d").tolist()}, None,
              {"visited": "date"}, ("all",)),
    "tiny": ({"t": RNG.integers(-999, 999, N) / 1e18}, None, {"t": "number"}, ("all",)),
    "constant": ({"site": 3.0, "name": "here"}, None, {"site": "constant", "name": "constant"}, ("all",)),
    "outlier": ({"x": [1e9, *NUMBERS["a"][1:]]}, None, {"x": "number"}, ("all",)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".parquet"])
def test_comes_back_as_it_was(tmp_path: Path, case: str, ending: str) -> None:
    columns, target, kinds, classes = CASES[case]
    frame = pd.DataFrame({"a": NUMBERS["a"], **columns, "b": NUMBERS["b"]})
    write_rows(frame, tmp_path / f"rows{ending}")
    read = read_rows(tmp_path / f"rows{ending}", target)
    assert read.remarks == ()
    schema, _ = infer_schema(read.frame, target)
    assert schema.classes == classes
    assert {name: schema.column(name).kind for name in kinds} == kinds
    made = schema.decode(schema.encode(read.frame), schema.labels(read.frame), seed=0)
    pd.testing.assert_frame_equal(made, read.frame, check_exact=True)
    assert list(made.columns) == list(frame.columns)
    write_rows(made, tmp_path / f"made{ending}")
    assert (tmp_path / f"made{ending}").read_bytes() == (tmp_path / f"rows{ending}").read_bytes()


def test_shares_of_rare_classes_are_kept() -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=4004), "group": ["fraud"] * 4 + ["ok"] * 4000})
    column = infer_schema(frame, "group")[0].column("group")
    assert column.model_dump()["shares"] == (4 / 4004, 4000 / 4004)


def test_huge_whole_numbers_are_ids_and_keep_their_dtype() -> None:
    frame = pd.DataFrame({"account": 2**60 + RNG.integers(0, 2**50, N), "b": NUMBERS["b"]})
    schema, remarks = infer_schema(frame)
    made = schema.decode(np.zeros((N, 1)), np.zeros(N, np.int64), seed=0)
    assert made["account"].dtype == np.int64
    assert made["account"].is_unique
    assert made["account"].between(frame["account"].min(), frame["account"].max()).all()
    assert any("beyond 2^52" in remark.text for remark in remarks)


@pytest.mark.parametrize(
    ("columns", "target", "message"),
    [
        ({"a": NUMBERS["a"], "Group": GROUP}, "group", "Did you mean 'Group'"),
        ({"a": [1.0, np.inf] * 45}, None, "column 'a' must be finite"),
        ({"group": ["blue"] * N, "a": NUMBERS["a"]}, "group", "at least 2 different values"),
        ({"a": [3.0] * N, "b": [4] * N}, None, "constants and ids only"),
    ],
)
def test_one_line(columns: dict[str, Any], target: str | None, message: str) -> None:
    with pytest.raises(QsynthError, match=message) as caught:
        infer_schema(pd.DataFrame(columns), target)
    assert "\n" not in str(caught.value)

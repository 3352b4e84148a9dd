"""Odd tables: a report comes all the same, with None and a reason where there is no number."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from qsynth.quality.quality_report import QualityReport, assess
from qsynth.tables.inference import infer_schema
from tests.qsynth.quality.conftest import Make

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]


def written(tables: Tables, target: str | None, folder: Path) -> QualityReport:
    """A report whose every form could be written."""
    real, synthetic, held_out = tables
    schema, _ = infer_schema(real, target)
    report = assess(real, synthetic, schema, held_out)
    report.to_html(folder / "report.html")
    json.dumps(report.to_dict(), allow_nan=False)
    assert report.summary
    assert "\n" not in report.summary
    assert all((number.value is None) == bool(number.reason) for number in report.numbers)
    return report


def wide(n: int, seed: int) -> pd.DataFrame:
    """60 columns and 20 classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 20
    frame = pd.DataFrame(rng.normal(size=(n, 59)) + y[:, None] / 10, columns=[f"x{at}" for at in range(59)])
    return frame.assign(label=[f"class {label}" for label in y])


def odd(frame: pd.DataFrame) -> pd.DataFrame:
    """With a constant and two columns without values."""
    return frame.assign(same=3, none=np.nan, nothing=pd.Series([None] * len(frame), dtype=object))


HARD: dict[str, Callable[[Make], tuple[Tables, str | None]]] = {
    "60 columns, 20 classes": lambda law: ((wide(160, 1), wide(160, 2), wide(80, 3)), "label"),
    "2 rows each": lambda law: ((law(2, 1), law(2, 2), law(2, 3)), None),
    "2 rows, none held out": lambda law: ((law(2, 1), law(2, 2), None), None),
    "1 synthetic row": lambda law: ((law(40, 1), law(1, 2), law(20, 3)), "class"),
    "constant and empty columns": lambda law: ((odd(law(60, 1)), odd(law(60, 2)), odd(law(30, 3))), "class"),
    "a class that synthetic rows lack": lambda law: (
        (law(60, 1), law(90, 2).query("`class` != 'low'"), law(60, 3)),
        "class",
    ),
    "one synthetic class": lambda law: ((law(60, 1), law(90, 2).query("`class` == 'low'"), law(60, 3)), "class"),
    "one held-out class": lambda law: ((law(60, 1), law(60, 2), law(90, 3).query("`class` == 'low'")), "class"),
    "a class that real rows lack": lambda law: (
        (law(60, 1), law(60, 2).replace({"class": {"low": "unheard of"}}), law(60, 3)),
        "class",
    ),
    "no synthetic label": lambda law: ((law(60, 1), law(60, 2).assign(**{"class": None}), law(60, 3)), "class"),
    "only a target": lambda law: ((law(60, 1)[["class"]], law(60, 2)[["class"]], law(60, 3)[["class"]]), "class"),
    "one number": lambda law: ((law(60, 1)[["size"]], law(60, 2)[["size"]], law(60, 3)[["size"]]), None),
    "a number to predict, alone": lambda law: (
        (law(60, 1)[["size"]], law(60, 2)[["size"]], law(60, 3)[["size"]]),
        "size",
    ),
    "infinities and giants": lambda law: (
        (law(60, 1), law(60, 2).assign(size=np.tile([np.inf, -np.inf, 1e300], 20)), law(60, 3)),
        "class",
    ),
    "text where numbers were": lambda law: (
        (law(60, 1), law(60, 2).assign(age="old", day="someday"), law(60, 3)),
        "class",
    ),
    "rows in another order of columns": lambda law: ((law(60, 1), law(60, 2).iloc[:, ::-1], law(60, 3)), "class"),
    "an index of its own": lambda law: (
        (law(60, 1).set_index(pd.Index([7] * 60)), law(60, 2), law(60, 3).set_index(pd.Index(list("ab" * 30)))),
        "class",
    ),
}


@pytest.mark.parametrize("hardship", HARD)
def test_a_report_comes_all_the_same(hardship: str, law: Make, tmp_path: Path) -> None:
    report = written(*HARD[hardship](law), tmp_path)
    assert report.numbers[0].key == "c2st_auc"


def test_what_is_missing_has_its_reason(law: Make, tmp_path: Path) -> None:
    report = written((law(40, 1), law(1, 2), law(20, 3)), "class", tmp_path)
    c2st = report.number("c2st_auc")
    assert c2st is not None
    assert c2st.value is None
    assert "2 rows on each side; got 20 and 1" in c2st.reason
    assert c2st.reason in (tmp_path / "report.html").read_text()
    wide_one = written((wide(80, 1), wide(80, 2), wide(40, 3)), "label", tmp_path).number("tstr_qnn")
    assert wide_one is not None
    assert wide_one.value is None
    assert "2 to 8 classes; got 20" in wide_one.reason


def test_a_class_that_is_lacking_costs(law: Make, tmp_path: Path) -> None:
    without = written((law(300, 1), law(500, 2).query("`class` != 'low'"), law(300, 3)), "class", tmp_path)
    for key in ("tstr_linear", "tstr_forest"):
        number = without.number(key)
        assert number is not None
        assert number.value is not None
        assert number.reference is not None
        assert number.value < min(2 / 3, number.reference - 0.1)


def test_integers_are_the_same_levels_beside_a_missing_value(law: Make) -> None:
    real, synthetic = (law(200, seed).assign(code=np.arange(200) % 3) for seed in (1, 2))
    real["code"], synthetic["code"] = real["code"].astype(object), synthetic["code"].astype(float)
    synthetic.loc[0, "code"] = np.nan
    schema, _ = infer_schema(real, None, {"code": "category"})
    [code] = [view for view in assess(real, synthetic, schema).columns if view.name == "code"]
    assert code.distance is not None
    assert code.distance < 0.15


def test_ids_are_left_out(law: Make) -> None:
    real, synthetic = (law(80, seed).assign(id=[f"row-{seed}-{at}" for at in range(80)]) for seed in (1, 2))
    schema, _ = infer_schema(real, "class", {"id": "id"})
    report = assess(real, synthetic, schema)
    assert "id" not in [view.name for view in report.columns]
    assert "Left out as ids: id." in report.notes


def test_a_default_of_double_precision_changes_nothing(law: Make) -> None:
    tables = law(60, 1), law(60, 2), infer_schema(law(60, 1), "class")[0], law(30, 3)
    before = assess(*tables).number("tstr_qnn")
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            after = assess(*tables).number("tstr_qnn")
    finally:
        torch.set_default_dtype(torch.float32)
    assert before is not None
    assert after is not None
    assert after.value == pytest.approx(before.value, abs=0.02)

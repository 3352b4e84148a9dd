"""Rows whose worth is known get the numbers that they deserve."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.errors import DataError
from qsynth.quality.quality_report import QualityReport, assess
from qsynth.tables.inference import infer_schema
from tests.qsynth.quality.conftest import Make


def report_on(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    held_out: pd.DataFrame | None = None,
    target: str | None = "class",
    **more: Any,
) -> QualityReport:
    schema, _ = infer_schema(real, target)
    return assess(real, synthetic, schema, held_out, **more)


def value(report: QualityReport, key: str) -> float:
    number = report.number(key)
    assert number is not None
    assert number.value is not None, number.reason
    return number.value


def shuffled(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Columns (all, if none are named), each in another order."""
    rng = np.random.default_rng(5)
    mixed = frame.copy()
    for name in columns or frame.columns:
        mixed[name] = frame[name].iloc[rng.permutation(len(frame))].to_numpy()
    return mixed


@pytest.fixture(scope="module")
def of_likeness(law: Make) -> QualityReport:
    """On a second real sample."""
    return report_on(law(300, 1), law(300, 2), law(300, 3))


def test_a_second_real_sample_is_like_real_rows_in_every_number(of_likeness: QualityReport) -> None:
    floors = {"columns": 0.04, "pairs": 0.04, "sliced_wasserstein": 0.04, "energy": 0.06, "c2st_auc": 0.09}
    utility = {"tstr_linear": 0.07, "tstr_forest": 0.07, "tstr_qnn": 0.1}
    spread = {"precision": 0.06, "recall": 0.06, "density": 0.25, "coverage": 0.06, "copies": 0.01}
    privacy = {"memorised": 0.12, "membership_auc": 0.08, "closest_record": 0.15}
    tolerances = floors | utility | spread | privacy
    assert [number.key for number in of_likeness.numbers if number.key not in tolerances] == []
    for number in of_likeness.numbers:
        assert number.reason == ""
        assert number.reference is not None
        assert number.value == pytest.approx(number.reference, abs=tolerances[number.key]), number.key
    assert value(of_likeness, "c2st_auc") < 0.6
    assert value(of_likeness, "tstr_forest") > 0.7


def test_copies_are_called_memorised(law: Make) -> None:
    real = law(300, 1)
    report = report_on(real, real.sample(frac=1, random_state=0), law(100, 3))
    assert value(report, "copies") == 1
    assert value(report, "closest_record") == 0
    assert value(report, "memorised") > 0.99
    assert value(report, "membership_auc") > 0.95
    copies = report.number("copies")
    assert copies is not None
    assert copies.reference == 0


def test_rows_near_learned_ones_are_called_memorised(law: Make) -> None:
    real = law(300, 1)
    near = real.assign(size=real["size"] + 0.01, age=real["age"] + 0.1)
    report = report_on(real, near, law(300, 3))
    assert value(report, "copies") == 0
    assert value(report, "memorised") > 0.95
    assert value(report, "membership_auc") > 0.95
    closest = report.number("closest_record")
    assert closest is not None
    assert closest.value is not None
    assert closest.reference is not None
    assert closest.value < 0.2 * closest.reference


def test_memory_is_unknown_without_held_out_rows(law: Make) -> None:
    real = law(200, 1)
    report = report_on(real, real)
    for key in ("memorised", "membership_auc"):
        number = report.number(key)
        assert number is not None
        assert number.value is None
        assert "held-out" in number.reason
    assert value(report, "copies") == 1
    assert "unknown" in report.summary


def test_independent_columns_are_told_apart_though_each_is_right(law: Make, of_likeness: QualityReport) -> None:
    report = report_on(law(300, 1), shuffled(law(300, 2)), law(300, 3))
    assert value(report, "c2st_auc") > 0.85
    assert value(report, "columns") == pytest.approx(value(of_likeness, "columns"), abs=0.01)
    assert value(report, "pairs") > 4 * value(of_likeness, "pairs")
    assert value(report, "energy") > 1.2 * value(of_likeness, "energy")
    assert value(report, "precision") < value(of_likeness, "precision")
    pair = report.pairs[0]
    assert {pair.first, pair.second} == {"size", "weight"}
    assert pair.real > 0.9 > 0.3 > abs(pair.synthetic)


def test_a_shifted_column_is_found(law: Make, of_likeness: QualityReport) -> None:
    synthetic = law(300, 2)
    report = report_on(law(300, 1), synthetic.assign(age=synthetic["age"] + 18), law(300, 3))
    assert value(report, "c2st_auc") > 0.85
    assert value(report, "sliced_wasserstein") > 2 * value(of_likeness, "sliced_wasserstein")
    worst = max(report.columns, key=lambda view: view.distance or 0)
    assert worst.name == "age"
    assert worst.distance is not None
    assert worst.floor is not None
    assert worst.distance > 0.5 > 0.2 > worst.floor
    assert worst.means[1] == pytest.approx((worst.means[0] or 0) + 18, abs=2)


def test_missing_values_are_part_of_likeness(law: Make) -> None:
    report = report_on(law(300, 1), law(300, 2).assign(age=40.0), law(300, 3))
    age = next(view for view in report.columns if view.name == "age")
    assert age.missing[0] == pytest.approx(0.1, abs=0.05)
    assert age.missing[1] == 0
    everything_missing = report_on(law(300, 1), law(300, 2).assign(age=np.nan), law(300, 3))
    assert value(everything_missing, "c2st_auc") > 0.9


def test_permuted_labels_are_worth_a_guess(law: Make) -> None:
    report = report_on(law(300, 1), shuffled(law(300, 2), "class"), law(300, 3))
    for key in ("tstr_linear", "tstr_forest", "tstr_qnn"):
        number = report.number(key)
        assert number is not None
        assert number.value is not None
        assert number.value < 1 / 3 + 0.12
        assert number.reference is not None
        assert number.reference > 0.5, "real rows teach more than a guess"
        assert "by chance 0.33" in number.meaning


def test_one_spot_has_precision_without_recall(law: Make) -> None:
    real = law(300, 1)
    spot = pd.concat([real[real["city"] == "Rome"].iloc[:1]] * 300, ignore_index=True)
    report = report_on(real, spot, law(300, 3))
    assert value(report, "precision") > 0.9
    assert value(report, "recall") < 0.05
    assert value(report, "coverage") < 0.1
    far = real.assign(size=real["size"] + 30)
    report = report_on(real, far, law(300, 3))
    assert value(report, "precision") == value(report, "density") == value(report, "coverage") == 0


def test_a_number_is_predicted_by_regression(law: Make) -> None:
    report = report_on(law(300, 1), law(300, 2), law(300, 3), "weight")
    assert value(report, "tstr_linear") > 0.9
    assert value(report, "tstr_forest") > 0.9
    assert report.number("tstr_qnn") is None
    useless = report_on(law(300, 1), shuffled(law(300, 2), "weight"), law(300, 3), "weight")
    assert value(useless, "tstr_linear") < 0.1
    assert value(useless, "tstr_forest") < 0.1


def test_nothing_is_predicted_without_a_target(law: Make) -> None:
    report = report_on(law(60, 1), law(60, 2), law(60, 3), None)
    assert report.target is None
    assert not [number for number in report.numbers if number.key.startswith("tstr")]


def test_yardsticks_are_measured_by_the_same_numbers(law: Make, of_likeness: QualityReport) -> None:
    real = law(300, 1)
    others = {"second sample": law(300, 2), "real rows again": real}
    report = report_on(real, shuffled(law(300, 2)), law(300, 3), yardsticks=others, scores={"real rows again": 0.5})
    for number, alike in zip(report.numbers, of_likeness.numbers, strict=True):
        assert list(number.beside) == list(others)
        assert number.beside["second sample"] == pytest.approx(alike.value, abs=0.2), number.key
    copies = report.number("copies")
    assert copies is not None
    assert copies.beside == {"second sample": 0, "real rows again": 1}
    assert report.to_dict()["scores"] == {"real rows again": 0.5}


def test_the_same_seed_gives_the_same_report(law: Make) -> None:
    tables = law(120, 1), law(120, 2), law(60, 3)
    again = [report_on(*tables, seed=seed).to_dict() for seed in (0, 0, 1)]
    assert again[0] == again[1]
    assert again[0] != again[2]


def test_json_has_every_number_and_no_nan(of_likeness: QualityReport) -> None:
    text = json.dumps(of_likeness.to_dict(), allow_nan=False)
    content = json.loads(text)
    assert content["rows"] == {"real": 300, "synthetic": 300, "held_out": 300}
    assert set(content["numbers"]) == {number.key for number in of_likeness.numbers}
    assert all(each["meaning"] for each in content["numbers"].values())
    assert [view["name"] for view in content["columns"]][:2] == ["size", "weight"]
    assert len(content["associations"]["real"]) == 7


def test_samples_are_of_one_size(law: Make) -> None:
    """The floor of few synthetic rows is that of few real ones."""
    few = report_on(law(300, 1), law(30, 2), law(300, 3)).number("energy")
    many = report_on(law(300, 1), law(300, 2), law(300, 3)).number("energy")
    assert few is not None
    assert many is not None
    assert few.reference is not None
    assert many.reference is not None
    assert few.reference > 1.5 * many.reference
    assert few.value == pytest.approx(few.reference, rel=0.35)


def test_tables_that_do_not_fit_are_refused(law: Make) -> None:
    real = law(60, 1)
    with pytest.raises(DataError, match="synthetic rows must have the column 'age'"):
        report_on(real, real.drop(columns="age"))
    with pytest.raises(DataError, match="synthetic rows must have each column once; got 'age' again"):
        report_on(real, pd.concat([real, real[["age"]]], axis=1))
    with pytest.raises(DataError, match="synthetic rows must be one or more"):
        report_on(real, real.iloc[:0])

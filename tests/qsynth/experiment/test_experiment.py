"""Plans, their cells, what is kept of them, and the report."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qsynth.data.tabular import TableData
from qsynth.errors import DataError, FileError, QsynthError
from qsynth.experiment.arms import BARS, ORACLES
from qsynth.experiment.cell import LOGISTIC, CellResult
from qsynth.experiment.experiment import ExperimentFolder, check, keys, run
from qsynth.experiment.plan import ExperimentPlan, load_plan, presets
from qsynth.experiment.regime import FewLabels, Imbalance
from qsynth.experiment.report import conclusions, report_html, write_report
from qsynth.experiment.summary import summarise
from qsynth.qnn.fit import QNNConfig
from tests.qsynth.experiment.made import cell_of

PLAN = ExperimentPlan(
    name="small",
    data={"iris": TableData(name="iris", n_features=2)},
    regimes=(FewLabels(n_rows=12), Imbalance(ratio=4, n_majority=12)),
    arms=("SMOTE", "SMOTE, soft labels", "real rows"),
    n_seeds=3,
    qnn=QNNConfig(n_steps=6),
    n_synthetic=30,
)
LABELS = np.arange(40) % 2


@pytest.fixture(scope="module")
def cells() -> list[CellResult]:
    return [run(PLAN, key) for key in keys(PLAN)]


def test_a_cell_has_every_arm_and_seed(cells: list[CellResult]) -> None:
    for cell in cells:
        assert set(cell.arms) == {*BARS, *ORACLES, "SMOTE", "SMOTE, soft labels", LOGISTIC}
        for name, arm in cell.arms.items():
            assert len(arm.balanced) == len(arm.accuracy) == 3
            assert len(arm.rows) == len(cell.test_labels) == 51
            assert np.mean(arm.accuracy) == pytest.approx(np.mean(arm.rows), abs=1e-4)
            assert bool(arm.frechet) == name.startswith("SMOTE")


def test_cells_are_kept_and_not_run_again(cells: list[CellResult], tmp_path: Path) -> None:
    folder = ExperimentFolder(tmp_path, PLAN)
    assert folder.missing() == {key: [] for key in keys(PLAN)}
    folder.keep(keys(PLAN)[1], cells[1])
    again = ExperimentFolder(tmp_path, PLAN)
    assert list(again.missing()) == keys(PLAN)[:1]
    assert again.results() == [cells[1]]


def test_more_arms_join_those_that_are_there(cells: list[CellResult], tmp_path: Path) -> None:
    key = keys(PLAN)[0]
    ExperimentFolder(tmp_path, PLAN).keep(key, cells[0])
    more = PLAN.replaced(arms=(*PLAN.arms, "duplication"))
    folder = ExperimentFolder(tmp_path, more)
    assert folder.missing()[key] == sorted(cells[0].arms)
    folder.keep(key, run(more, key, folder.missing()[key]))
    assert list(folder.missing()) == keys(PLAN)[1:]
    [kept] = folder.results()
    assert set(kept.arms) == {*cells[0].arms, "duplication"}
    whole = run(more, key)
    assert whole.arms["SMOTE"].balanced == kept.arms["SMOTE"].balanced
    assert whole.arms["duplication"].balanced == pytest.approx(kept.arms["duplication"].balanced)


def test_a_folder_of_another_experiment_is_refused(tmp_path: Path) -> None:
    ExperimentFolder(tmp_path, PLAN)
    with pytest.raises(FileError, match="other settings"):
        ExperimentFolder(tmp_path, PLAN.replaced(n_synthetic=31))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"arms": 3}', "[" * 100_000])
def test_a_damaged_cell_is_named(content: str, tmp_path: Path, cells: list[CellResult]) -> None:
    folder = ExperimentFolder(tmp_path, PLAN)
    folder.keep(keys(PLAN)[0], cells[0])
    [path] = (tmp_path / "cells").iterdir()
    path.write_text(content)
    with pytest.raises(FileError, match="can't be read as a cell") as caught:
        folder.results()
    assert "\n" not in str(caught.value)


def test_the_report_has_every_arm_and_its_words_are_escaped(cells: list[CellResult], tmp_path: Path) -> None:
    named = [replace(cell, data="<b>$iris$</b>") for cell in cells]
    report = write_report(PLAN, summarise(PLAN, named), named, tmp_path).read_text()
    for name in cells[0].arms:
        assert f"<td>{name}</td>" in report
    assert "<b>$iris$" not in report
    assert "&lt;b&gt;$iris$" in report
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [each["regime"] for each in summary["regimes"]] == ["12 rows", "1:4"]


def test_conclusions_name_what_was_not_beaten() -> None:
    random = np.random.default_rng(0)
    base = random.uniform(0.3, 0.5, size=(6, 40))
    rights = dict(zip(BARS, (base, base - 0.1, base - 0.2), strict=True))
    rights |= dict(zip(ORACLES, (base + 0.4, base + 0.3), strict=True))
    rights |= {"qsynth": base + 0.2, "SMOTE": base + 0.3, "duplication": base + 0.05}
    plan = PLAN.replaced(arms=("qsynth", "SMOTE", "duplication"), n_seeds=6)
    noisy = {name: right + random.normal(scale=0.01, size=right.shape) for name, right in rights.items()}
    found = summarise(plan, [cell_of(noisy, LABELS, regime="12 rows", n_looks=6)])
    [line] = conclusions(found)
    assert "qsynth +20" in line
    assert "50% of what more real rows bring" in line
    assert line.endswith("Not beaten: SMOTE.")
    assert (found[0].best, found[0].bar, found[0].oracle) == ("qsynth", BARS[0], ORACLES[0])
    assert report_html(plan, found, [cell_of(noisy, LABELS, regime="12 rows", n_looks=6)]).startswith("<!doctype html>")


def test_without_an_arm_of_ones_own_there_is_no_conclusion(cells: list[CellResult]) -> None:
    assert conclusions(summarise(PLAN, cells))[0] == "12 rows: no arm of qsynth's."


def test_what_can_not_be_drawn_is_said_before_work() -> None:
    with pytest.raises(DataError, match="iris, 500 rows: a table must have more rows"):
        check(PLAN.replaced(regimes=(FewLabels(n_rows=500),)))


@pytest.mark.parametrize("name", presets())
def test_presets_can_be_run(name: str) -> None:
    import rl_envs.agent_rows  # noqa: F401  registers the agent's rows

    plan = load_plan(name)
    assert plan.name == name
    check(plan)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"arms": ["SMOT"]}, "Did you mean 'SMOTE'"),
        ({"arms": ["real rows, soft labels"]}, "must be a registered one"),
        ({"data": {"g": {"kind": "gaussian"}}}, "g must be a table; got kind gaussian"),
        ({"data": {"../x": {"kind": "table", "name": "iris"}}}, "must be a file's"),
        ({"regimes": [{"kind": "few", "n_rows": 5}]}, "few_labels"),
        ({"regimes": [{"kind": "few_labels", "n_rows": 5}] * 2}, "regimes must differ"),
        ({"share": 1.0}, "share"),
        ({"name": "a/b"}, "name"),
        ({"seeds": 3}, "n_seeds"),
    ],
)
def test_plans_that_are_none_are_refused_in_one_line(change: dict[str, object], match: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps({**PLAN.model_dump(mode="json"), **change}))
    with pytest.raises(QsynthError, match=match) as caught:
        load_plan(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(FileError, match="Did you mean 'quick'"):
        load_plan("quik")


def test_a_files_tables_are_found_beside_it(tmp_path: Path) -> None:
    frame = "a,b,kind\n" + "\n".join(f"{n * 7 % 13},{n * 5 % 11},{'xy'[n % 2]}" for n in range(80))
    (tmp_path / "rows.csv").write_text(frame)
    settings = PLAN.model_dump(mode="json") | {"data": {"mine": {"kind": "csv", "path": "rows.csv", "label": "kind"}}}
    (tmp_path / "mine.yaml").write_text(json.dumps(settings))
    check(load_plan(str(tmp_path / "mine.yaml")))

"""Enlarging a run: its budget, whatever else is as it was."""

from pathlib import Path
from typing import Any

import pytest

from cluster.study import run_directory
from cluster.study.run_directory import RunDirectory
from cluster.study.study import Study
from qsynth.config import parse
from qsynth.errors import QsynthError


@pytest.fixture
def run(tmp_path: Path, tiny: dict[str, Any]) -> RunDirectory:
    """A finished run of rows of the user's."""
    rows = tmp_path / "rows.csv"
    rows.write_text("x,y,kind\n" + "1.5,2,a\n0.5,1,b\n0.1,3,a\n2,2.5,b\n" * 12)
    tiny["data"] = {"kind": "csv", "path": str(rows), "label": "kind"}
    made = run_directory.create(tmp_path / "runs", parse(Study, tiny, source="tiny"))
    made.result.write_text("{}")
    return made


def test_a_larger_budget_is_kept_and_the_result_is_made_anew(run: RunDirectory) -> None:
    before = run.load_study()
    larger = run.enlarge(2 * before.budget.agent_trials, before.budget.held_out + 1)
    assert larger == run.load_study()
    assert larger.budget == before.budget.replaced(agent_trials=32, held_out=3)
    assert larger.replaced(budget=before.budget) == before
    assert "path: data/rows.csv" in run.study_file.read_text()
    assert not run.result.exists()


@pytest.mark.parametrize("asked", [(None, None), (16, 2)])
def test_the_same_budget_leaves_a_result_alone(run: RunDirectory, asked: tuple[int | None, int | None]) -> None:
    written = run.study_file.read_bytes()
    assert run.enlarge(*asked) == run.load_study()
    assert run.result.exists()
    assert run.study_file.read_bytes() == written


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((15, None), "--trials must be at least the run's 16 with --resume; got 15"),
        ((None, 0), "--held-out must be at least the run's 2 with --resume; got 0"),
        ((10**12, None), "budget.agent_trials"),
        ((64, 10**9), "budget.held_out"),
    ],
)
def test_a_smaller_or_absurd_budget_is_refused_and_changes_nothing(
    run: RunDirectory, asked: tuple[int | None, int | None], told: str
) -> None:
    written = run.study_file.read_bytes()
    with pytest.raises(QsynthError) as refused:
        run.enlarge(*asked)
    assert told in str(refused.value)
    assert run.study_file.read_bytes() == written
    assert run.result.exists()

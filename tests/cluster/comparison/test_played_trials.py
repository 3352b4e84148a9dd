"""What is kept of a job's trials."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job_result import JobResult, JobResultFile
from cluster.comparison.played_trials import Lineage, PlayedTrials
from qsynth.circuits.spend import Spend
from tests.cluster.comparison.made import comparison, records


def lineage(scores: list[float], rates: list[float], failed: bool = False) -> Lineage:
    values = [{"rate": rate} for rate in rates]
    return Lineage(values=values, scores=scores, spend=Spend(10, 100), failed=failed)


CONSTANT = lineage([0.2, 0.6, 0.4], [1 / 3] * 3)
MOVED = lineage([0.1, 0.3, 0.5], [0.1, 0.2, 0.3])
DIVERGED = lineage([0.3, 0.0], [0.5] * 2, failed=True)
SHORT = lineage([0.7], [0.5])


def test_of_each_trial_there_is_what_it_reached_and_took() -> None:
    found = PlayedTrials.of([CONSTANT, MOVED, DIVERGED, SHORT], 3, "best")
    assert found.values == {"rate": (0.333333, 0.3, 0.5, 0.5)}
    assert found.held == (True, False, True, True)
    assert found.whole == (True, True, True, False)
    assert found.scores == (0.6, 0.5, 0.3, 0.7)
    assert (found.circuits, found.shots) == ((10,) * 4, (100,) * 4)
    assert PlayedTrials.of([CONSTANT, DIVERGED], 3, "last").scores == (0.4, 0.0)


def test_what_goes_on_from_another_trial_has_its_course_and_its_price() -> None:
    found = PlayedTrials.of([SHORT.then(MOVED), CONSTANT.then(lineage([0.1], [1 / 3]))], 4, "best")
    assert found.scores == (0.7, 0.6)
    assert found.held == (False, True)
    assert found.whole == (True, True)
    assert found.shots == (200, 200)


def test_records_of_earlier_versions_are_read(tmp_path: Path) -> None:
    [record] = records("a", "random search", [0.5])
    old = asdict(record)
    del old["trials"]
    (tmp_path / "records.jsonl").write_text(json.dumps(old) + "\n")
    file = JobResultFile(tmp_path / "records.jsonl")
    file.close()
    assert file.records == {record.key: record}
    assert record.trials is None


def test_results_of_earlier_versions_are_read(tmp_path: Path) -> None:
    made = comparison({"agent": [0.7, 0.8], "random search": [0.5, 0.4]})
    old = TypeAdapter(ComparisonResult).dump_python(made, mode="json")
    del old["spaces"], old["searched"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    found = ComparisonResult.read(tmp_path / "old.json")
    assert found == made
    assert (found.importance, found.fronts) == ({}, {})


def test_records_with_trials_survive_a_file(tmp_path: Path) -> None:
    trials = PlayedTrials.of([CONSTANT, DIVERGED], 3, "best")
    [record] = records("a", "random search", [0.5])
    record = JobResult(**vars(record) | {"trials": trials})
    file = JobResultFile(tmp_path / "records.jsonl")
    file.add(record)
    file.close()
    again = JobResultFile(tmp_path / "records.jsonl")
    again.close()
    assert again.records[record.key].trials == trials


@pytest.mark.parametrize(
    "damage",
    [{"scores": (0.1,)}, {"values": {"rate": (0.1,)}}, {"scores": (float("nan"), 0.1)}, {"scores": (1e308, 0.1)}],
)
def test_columns_that_do_not_fit_are_found(damage: dict[str, object]) -> None:
    trials = PlayedTrials.of([CONSTANT, DIVERGED], 3, "best")
    trials.check()
    with pytest.raises(ValueError, match="of trials"):
        PlayedTrials(**vars(trials) | damage).check()  # type: ignore[arg-type]

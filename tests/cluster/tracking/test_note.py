"""What MLflow's page of a study says while the study runs, and when it stops."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.study.study import Study
from cluster.system.progress import StudyProgress
from cluster.tracking.journal import Cursor
from cluster.tracking.note import RunNote
from cluster.tracking.tracker import Tracker
from qsynth.config import parse


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("cluster.tracking.note.monotonic", made.monotonic)
    return made


@pytest.fixture
def tracker(tmp_path: Path, closed_port: str) -> Iterator[Tracker]:
    made = Tracker(tmp_path, closed_port, "e", "s")
    yield made
    made.close("KILLED", timeout_s=0.0)


def notes(run_dir: Path) -> list[str]:
    return [record.body["markdown"] for record in Cursor(run_dir, "any").read(1000) if record.kind == "note"]


def test_a_note_follows_the_stages(tmp_path: Path, tracker: Tracker, clock: Clock, tiny: dict[str, Any]) -> None:
    study = parse(Study, tiny | {"description": "two columns of iris"}, source="tiny")
    note = RunNote(tracker, study)
    with StudyProgress(enabled=False, listener=note.show) as progress:
        stage = progress.stage("train agent", 200)
        stage.update(20, iteration=1, score=0.25)
        clock.now += 5
        stage.update(40)  # too soon
        clock.now += 6
        stage.update(60, score=0.375)
        stage.update(200)  # its end is always told
        progress.stage("search best constants", 64).update(1)  # too soon
    note.stopped("Stopped by SIGINT.")
    first, second, ended, stopped = notes(tmp_path)
    assert first.startswith("# tiny\n\ntwo columns of iris\n\n**Running: train agent.** 2")
    assert "| train agent | 10% | 20/200  iteration 1  score 0.250 |" in first
    assert "| train agent | 30% | 60/200  score 0.375" in second
    assert "| train agent | done | 200/200" in ended
    assert "**Stopped by SIGINT.**" in stopped
    assert "| train agent | done |" in stopped
    assert "| search best constants | 2% | 1/64 |" in stopped


def test_what_stops_after_a_newer_attempt_has_begun_says_nothing(
    tmp_path: Path, tracker: Tracker, tiny: dict[str, Any]
) -> None:
    note = RunNote(tracker, parse(Study, tiny, source="tiny"))
    tracker.close("KILLED", timeout_s=0.0)
    note.stopped("Failed.")
    assert notes(tmp_path) == []

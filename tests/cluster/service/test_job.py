"""What tells of an attempt at a study: Ray, or only its folder."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.service.job import NAME, STUDY, Job, job_in, job_of, tune_command
from cluster.service.jobs import Jobs
from cluster.system.attempt_lock import AttemptLock


def details(entrypoint: str, **metadata: str) -> SimpleNamespace:
    """What Ray tells of a job."""
    return SimpleNamespace(
        submission_id="raysubmit_1",
        entrypoint=entrypoint,
        metadata=metadata,
        status="RUNNING",
        start_time=2000,
        end_time=None,
        message=None,
    )


@pytest.mark.parametrize(
    ("entrypoint", "expected"),
    [
        ("qsynth tune mine.yaml", ("mine", "raysubmit_1")),
        ("/opt/venv/bin/qsynth tune iris", ("iris", "raysubmit_1")),
        ("qsynth tune --seed 3 iris --run first", ("iris", "first")),
        ("qsynth tune --trials=10 'my study.yaml' --run=first", ("my study", "first")),
        ("OMP_NUM_THREADS=1 exec qsynth tune iris --json", ("iris", "raysubmit_1")),
        ("qsynth tune iris --resume --run first --out x", ("iris", "first")),
    ],
)
def test_a_job_that_was_submitted_by_hand_is_a_study(entrypoint: str, expected: tuple[str, str]) -> None:
    job = job_of(details(entrypoint))
    assert job is not None
    assert (job.study, job.run, job.id, job.attempt, job.began) == (*expected, "raysubmit_1", 1, 2.0)


@pytest.mark.parametrize(
    "entrypoint",
    ["python train.py", "qsynth compare iris", "qsynth tune", "qsynth tune 'broken", "echo qsynth tune iris"],
)
def test_other_jobs_are_none(entrypoint: str) -> None:
    assert job_of(details(entrypoint)) is None


def test_what_the_submitter_noted_counts() -> None:
    job = job_of(details("qsynth tune study.yaml", **{NAME: "mine-1", STUDY: "mine", "attempt": "3"}))
    assert job is not None
    assert (job.run, job.study, job.attempt) == ("mine-1", "mine", 3)


def test_a_folder_tells_how_its_run_ended(tmp_path: Path) -> None:
    folder = tmp_path / "mine-1"
    folder.mkdir()
    (folder / "study.yaml").write_text("name: mine\n")
    never = job_in(folder)
    assert (never.run, never.study, never.status, never.attempt, never.known) == ("mine-1", "mine", "STOPPED", 1, False)

    lock = AttemptLock(folder, above=3)
    running = job_in(folder)
    assert (running.status, running.attempt, running.ended) == ("RUNNING", 4, None)
    lock.release()
    lines = [
        {"kind": "end", "body": {"trial": "a", "status": "FINISHED"}},
        {"kind": "end", "body": {"trial": None, "status": "FAILED"}},
        {"kind": "note", "body": {"trial": None}},
    ]
    about = {"attempt": 4, "time": 1}
    text = "\n".join(json.dumps({"seq": number, **about, **line}) for number, line in enumerate(lines))
    (folder / "journal.jsonl").write_text(text + "\n{torn")
    assert job_in(folder).status == "FAILED"
    (folder / "result.json").write_text("{}")
    assert job_in(folder).status == "SUCCEEDED"
    (folder / "study.yaml").write_text("[damaged")
    assert job_in(folder).study == "?"


class Told(Jobs):
    """Jobs that somebody tells of."""

    def __init__(self, *told: tuple[str, str, str]) -> None:
        about = {"study": "mine", "began": None, "ended": None, "message": "", "about": {}}
        self._told = [Job(id=name, run=run, status=status, **about) for name, run, status in told]

    def list(self) -> list[Job]:
        return self._told


def test_only_what_was_stopped_at_last_goes_on_in_its_order() -> None:
    jobs = Told(
        ("b", "b", "STOPPED"),
        ("a", "a", "STOPPED"),
        ("c", "c", "FAILED"),
        ("d", "d", "SUCCEEDED"),
        ("e", "e", "PENDING"),
        ("a-r2", "a", "RUNNING"),
        ("f", "f", "STOPPED"),
        ("f-r2", "f", "STOPPED"),
    )
    assert jobs.cut_off() == ["b", "f"]
    assert Told().cut_off() == []


def test_an_entrypoint_is_one_command_whatever_a_run_is_called() -> None:
    entrypoint = tune_command("my study; touch x", "--resume", "--run", "$(touch y) 100%")
    assert shlex.split(entrypoint) == ["qsynth", "tune", "my study; touch x", "--resume", "--run", "$(touch y) 100%"]
    job = job_of(details(entrypoint))
    assert job is not None
    assert (job.study, job.run) == ("my study; touch x", "$(touch y) 100%")

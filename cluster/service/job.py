"""One attempt at a study: a Ray job, or a run's folder whose job the cluster no longer knows."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.system.attempt_lock import LOCK_NAME, is_held, last_attempt
from cluster.system.environment import RUN_KEY
from cluster.tracking.journal import JOURNAL_NAME
from cluster.tracking.record import parse_line
from qsynth.errors import QsynthError
from qsynth.files.content import check_regular
from qsynth.files.yaml_file import read_yaml

ENDED = ("STOPPED", "SUCCEEDED", "FAILED")
NAME, STUDY = RUN_KEY, "qsynth.study"
# As cluster/study/run_directory.py has them, which imports what takes seconds.
STUDY_FILE, RESULT_FILE = "study.yaml", "result.json"
TAIL_BYTES = 1 << 16
# Options of `qsynth tune` that are followed by a value.
TAKE_A_VALUE = ("--run", "--out", "--seed", "--trials", "--held-out", "--address", "--tracking-uri")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt at a study.

    Attributes:
        id: the job's; that of a later attempt ends in ``-r2``, ``-r3``, ...
        run: the run's name, which all attempts share.
        study: the study's name.
        status: PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED.
        began: seconds since the epoch, of the submission; None: unknown.
        ended: likewise; None while it is not.
        message: of Ray, e.g. why it failed.
        about: what the submitter noted about it.
        known: whether the cluster knows it; otherwise only its folder does.
        place: in the line of those that wait to begin; None for others.
    """

    id: str
    run: str
    study: str
    status: str
    began: float | None
    ended: float | None
    message: str
    about: dict[str, str]
    known: bool = True
    place: int | None = None

    @property
    def attempt(self) -> int:
        """Its number among the attempts at the run."""
        return int(self.about.get("attempt", "1"))


def job_of(details: Any) -> Job | None:
    """What Ray tells of a job; None if it is no study's.

    A job that somebody submitted to Ray as ``qsynth tune STUDY`` is one too: its run is called as the job is.
    """
    about: dict[str, str] = dict(details.metadata or {})
    if details.submission_id is None:
        return None
    if not {NAME, STUDY} <= set(about):
        found = _tuned(details.entrypoint)
        if found is None:
            return None
        study, run = found
        about |= {STUDY: study, NAME: run or details.submission_id}
    return Job(
        id=details.submission_id,
        run=about[NAME],
        study=about[STUDY],
        status=str(getattr(details.status, "value", details.status)),
        began=details.start_time / 1000 if details.start_time else None,
        ended=details.end_time / 1000 if details.end_time else None,
        message=details.message or "",
        about=about,
    )


def job_in(folder: Path) -> Job:
    """What a run's folder tells of its latest attempt."""
    journal, study = folder / JOURNAL_NAME, folder / STUDY_FILE
    written = journal if journal.is_file() else study
    running = is_held(folder / LOCK_NAME)
    return Job(
        id=folder.name,
        run=folder.name,
        study=_study_in(study),
        status="RUNNING" if running else "SUCCEEDED" if (folder / RESULT_FILE).is_file() else _ended_as(journal),
        began=study.stat().st_mtime,
        ended=None if running else written.stat().st_mtime,
        message="",
        about={"attempt": str(max(1, last_attempt(folder)))},
        known=False,
    )


def tune_command(*words: str) -> str:
    """A job's entrypoint, which a shell reads: a folder or a study may be called anything."""
    return shlex.join(["qsynth", "tune", *words])


def _study_in(file: Path) -> str:
    try:
        return str(read_yaml(file).get("name", "?"))
    except QsynthError:  # damaged
        return "?"


def _ended_as(journal: Path) -> str:
    """How a run that did not come to its result ended: FAILED if it said so."""
    try:
        with check_regular(journal).open("rb") as file:
            file.seek(max(0, journal.stat().st_size - TAIL_BYTES))
            lines = file.read().splitlines()
    except (OSError, QsynthError):
        return "STOPPED"
    records = [record for line in lines[-20:] if (record := parse_line(line))]
    ends = [record for record in records if record.kind == "end" and record.body.get("trial") is None]
    return "FAILED" if ends and ends[-1].body.get("status") == "FAILED" else "STOPPED"


def _tuned(entrypoint: str) -> tuple[str, str | None] | None:
    """The study, and the run if it is named, of a command that is ``qsynth tune``."""
    try:
        words = shlex.split(entrypoint)
    except ValueError:
        return None
    while words and ("=" in words[0] or words[0] in ("env", "exec")):
        del words[0]
    if len(words) < 3 or Path(words[0]).name != "qsynth" or words[1] != "tune":
        return None
    rest, run, studies = words[2:], None, []
    while rest:
        word = rest.pop(0)
        option, _, value = word.partition("=")
        if option in TAKE_A_VALUE:
            value = value or (rest.pop(0) if rest else "")
            run = value if option == "--run" else run
        elif not word.startswith("-"):
            studies.append(word)
    return (Path(studies[0]).stem, run) if studies else None

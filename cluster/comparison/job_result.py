"""Results of finished jobs, and the file that keeps them."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cluster.comparison.played_trials import PlayedTrials
from cluster.system.attempt_lock import take_lock
from qsynth.errors import FileError
from qsynth.files.content import read_content
from qsynth.files.json_text import parse_json


@dataclass(frozen=True, kw_only=True)
class BudgetResult:
    """What a rival would return at some budget.

    Attributes:
        validation: the score that selected it; 0 where nothing was selected.
        test: its score on the test rows.
        schedule: name -> value in force during each decision of the trial that it is from, copies' origins included.
        trial: that trial's number.
        terms: metric's name -> utility on the test rows.
        memorised: as :class:`cluster.comparison.exam.Grade` has it.
    """

    validation: float
    test: float
    schedule: dict[str, list[float]] = field(default_factory=dict)
    trial: int = 0
    terms: dict[str, float] = field(default_factory=dict)
    memorised: float | None = None


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What one rival did on one problem.

    Attributes:
        key: of the job.
        runs: its budget, in runs.
        curve: (GAN iterations spent, best validation score so far), at each improvement.
        marks: budget in runs -> what it would return there.
        spent: iterations, circuits, shots, trials, failed.
        course: what its agent saw and did in its first run, if that was watched: observations (decisions x features),
            and values by name.
        trials: all of its trials; None in records of earlier versions, which kept none.
        cpu_seconds: that training or learning took; they differ from one time to the next.
    """

    key: str
    study: str
    rival: str
    problem: int
    runs: int
    curve: tuple[tuple[int, float], ...]
    marks: dict[int, BudgetResult]
    spent: dict[str, int]
    course: dict[str, Any] | None = None
    trials: PlayedTrials | None = None
    cpu_seconds: float = field(default=0.0, compare=False)


class JobResultFile:
    """Records as JSON lines, each forced to the disk when it is added.

    Nobody else may write to it until it is closed.

    Raises:
        QsynthError: the file can't be read or written, is something else, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, JobResult] = {}
        adapter = TypeAdapter(JobResult)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = take_lock(path)
            content = read_content(path)
            end = content.rfind(b"\n") + 1  # what a kill tore is dropped
            lines = content[:end].splitlines()
            for line in lines:
                with suppress(FileError, ValidationError):  # a damaged one's job is done again
                    record = adapter.validate_python(parse_json(line, "a record"))
                    self.records[record.key] = record
            if lines and not self.records:
                raise FileError(f"{path} must hold a comparison's records; got {len(lines)} lines without any")
            with path.open("ab") as file:
                file.truncate(end)
        except OSError as error:
            raise FileError(f"output directory {path.parent} must be writable: {error.strerror}") from None

    def close(self) -> None:
        """Let others write."""
        os.close(self._lock)

    def add(self, record: JobResult) -> None:
        """Keep a record."""
        self.records[record.key] = record
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record), separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

"""What MLflow's page of a study says: while it runs what is going on, in the end the report."""

import time
from contextlib import suppress
from time import monotonic

from cluster.study.study import Study
from cluster.system.progress import Stage
from cluster.tracking.tracker import Tracker
from qsynth.errors import QsynthError

SECONDS_BETWEEN_NOTES = 10.0


class RunNote:
    """The description of a study's run, written again as stages advance, at most every 10 s."""

    def __init__(self, tracker: Tracker, study: Study) -> None:
        self._tracker = tracker
        self._heading = f"# {study.name}\n\n{study.description}".rstrip()
        self._stages: dict[str, str] = {}
        self._last = -SECONDS_BETWEEN_NOTES

    def show(self, stage: Stage, done: int, status: str) -> None:
        """Say how far a stage is, if something new is due."""
        complete = done >= stage.total
        self._stages[stage.name] = f"{'done' if complete else f'{done / stage.total:.0%}'} | {status}"
        if complete or monotonic() - self._last >= SECONDS_BETWEEN_NOTES:
            self._write(f"Running: {stage.name}.")

    def stopped(self, why: str) -> None:
        """Say that the study ended before it was done, unless a newer attempt has begun."""
        with suppress(QsynthError):
            self._write(why)

    def _write(self, now: str) -> None:
        self._last = monotonic()
        stages = "\n".join(f"| {name} | {how} |" for name, how in self._stages.items())
        table = f"| stage | done | |\n|---|---|---|\n{stages}" if stages else ""
        clock = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        attempt = self._tracker.attempt_lock.attempt
        about = f"**{now}** {clock}" + (f", attempt {attempt}" if attempt > 1 else "")
        self._tracker.set_note("\n\n".join(part for part in (self._heading, about, table) if part) + "\n")

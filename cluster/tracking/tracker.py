"""Everything that MLflow shows of a study: journalled first, delivered by a thread in the background."""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, SupportsFloat, SupportsInt, get_args

from cluster.system.attempt_lock import AttemptLock
from cluster.system.files import FolderError
from cluster.tracking.dataset_input import DatasetInput
from cluster.tracking.delivery import Delivery, OutOfTimeError, describe
from cluster.tracking.journal import Journal
from cluster.tracking.model_registry import RegisteredModel
from cluster.tracking.record import Status
from cluster.tracking.store import Location, TrackingStore, checked_key, checked_name
from qsynth.errors import QsynthError

IDLE_SECONDS = 0.5
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Tracker:
    """The only way of a study's values to MLflow.

    Every method but ``close`` appends to the journal of the run directory and returns; one daemon thread delivers the
    journal to MLflow with the journal's own times, tries again for as long as the store is away (waiting up to 30 s in
    between), and starts where it, or a killed predecessor, stopped. Delivery is at least once; MLflow stores a repeated
    (key, step, value, time) once. What a killed process could not deliver, the next Tracker or ``sync`` does.
    """

    def __init__(self, run_dir: Path, tracking_uri: str, experiment: str, study: str) -> None:
        """Open the run directory's journal as a new attempt.

        Args:
            run_dir: made when absent.
            tracking_uri: ``http://HOST:5000``, or ``sqlite:///FILE`` (artifacts go to ``mlartifacts`` beside it).
            experiment: MLflow experiment, created when absent.
            study: unique in the experiment: a resume finds its runs by it.

        Raises:
            QsynthError: another live process writes the run directory, or an unfit URI or name.
        """
        store = TrackingStore.make(tracking_uri, experiment, study)
        self._run_dir = run_dir.absolute()
        self._journal = Journal(self._run_dir)
        store.save(self._run_dir)
        self._replay = Delivery(self._run_dir, store)
        self._dropped: Counter[str | None] = Counter()
        self._good_keys: set[str] = set()
        self._good_trials: set[str] = set()
        self._closing = threading.Event()
        self._complete = time.monotonic()
        self._thread = threading.Thread(target=self._deliver, name="qsynth-tracking", daemon=True)
        self._thread.start()

    @property
    def attempt_lock(self) -> AttemptLock:
        """The right to write to the run directory, with this start's attempt number."""
        return self._journal.attempt_lock

    @property
    def location(self) -> Location | None:
        """Where to look at the study; None until the parent run exists in MLflow."""
        return self._replay.location

    @property
    def lag_seconds(self) -> float:
        """How long ago MLflow had everything; below a second when it keeps up."""
        return time.monotonic() - self._complete

    def start_study(self, params: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Open the study's parent run, the same one as before on a resume.

        Params are written once: one that a resume changes is kept as tag ``qsynth.changed.NAME``.

        Raises:
            QsynthError: an unfit name, a newer attempt has begun, or closed.
        """
        self._start(None, params, tags)

    def start_trial(
        self, key: str, params: Mapping[str, Any], tags: Mapping[str, str], at: float | None = None
    ) -> None:
        """Open a trial's run, a child of the study's, the same one as before on a resume.

        Args:
            at: when it began, in seconds since 1970; None: now.

        Raises:
            QsynthError: an unfit name, a newer attempt has begun, or closed.
        """
        self._start(key, params, tags, at)

    def log(
        self,
        metrics: Mapping[str, SupportsFloat],
        step: SupportsInt,
        trial: str | None = None,
        at: float | None = None,
    ) -> None:
        """Record metric values of a trial, or of the study.

        Values that are not finite are left out; metric ``nonfinite_dropped`` counts them, per run and attempt.

        Args:
            at: when they were measured, in seconds since 1970; None: now.

        Raises:
            QsynthError: a value that is no number, an unfit name, a newer attempt has begun, or closed.
        """
        values: dict[str, float] = {}
        for key, value in metrics.items():
            try:
                values[self._checked_key(key)] = float(value)
            except QsynthError:
                raise
            except (TypeError, ValueError, OverflowError):
                raise QsynthError(f"metric {key!r} must be a number; got {type(value).__name__}") from None
        finite = {key: value for key, value in values.items() if math.isfinite(value)}
        if len(finite) < len(values):
            self._dropped[trial] += len(values) - len(finite)
            finite["nonfinite_dropped"] = float(self._dropped[trial])
        if finite:
            self._append("metrics", trial, at, step=int(step), metrics=finite)

    def set_tags(self, tags: Mapping[str, str], trial: str | None = None) -> None:
        """Set tags, which may change, of a trial or of the study.

        Raises:
            QsynthError: an unfit name, a newer attempt has begun, or closed.
        """
        self._append("tags", trial, tags=self._texts(tags))

    def log_artifact(self, path: Path, trial: str | None = None, folder: str = "") -> None:
        """Have a file or a folder's content uploaded. It must be in the run directory, and stay until then.

        Raises:
            QsynthError: no such file there, a newer attempt has begun, or closed.
        """
        self._append("artifact", trial, path=self._kept_path(path), folder=folder)

    def set_note(self, markdown: str, trial: str | None = None) -> None:
        """Describe a trial or the study; images by relative path, ``![scores](plots/scores.png)``, are its artifacts,
        and links to ``trial:KEY`` lead to that trial's run, to ``trial:`` to all of them, the best first.

        Raises:
            QsynthError: an unfit name, a newer attempt has begun, or closed.
        """
        self._append("note", trial, markdown=markdown)

    def log_dataset(self, dataset: DatasetInput, trial: str | None = None) -> None:
        """Note that a trial, or the study, used a data set.

        Raises:
            QsynthError: a newer attempt has begun, or closed.
        """
        self._append("dataset", trial, dataset=asdict(dataset))

    def register_model(self, path: Path, model: RegisteredModel) -> None:
        """Upload a folder in MLflow's model format and register it: one version a study, however often this is called.

        Args:
            path: the folder. It must be in the run directory, and stay until it is uploaded.

        Raises:
            QsynthError: no such folder there, a newer attempt has begun, or closed.
        """
        self._append("model", None, path=self._kept_path(path), model=asdict(model))

    def end_trial(self, key: str, status: Status = "FINISHED", at: float | None = None) -> None:
        """End a trial's run; ``start_trial`` would open it again.

        Args:
            at: when it ended, in seconds since 1970; None: now.

        Raises:
            QsynthError: a newer attempt has begun, or closed.
        """
        self._append("end", key, at, status=_checked_status(status))

    def close(self, status: Status, timeout_s: float = 60.0) -> int:
        """End the study's run and the trials still open, deliver for at most ``timeout_s``, free the run directory.

        Returns:
            Records not delivered, which wait in the journal for ``sync``. A second call only counts again.
        """
        if not self._closing.is_set():
            _checked_status(status)
            try:
                self._append("end", None, status=status)
            finally:
                self._replay.deadline = time.monotonic() + timeout_s
                self._closing.set()
                self._thread.join(timeout_s)
                self._journal.close()
        return self._replay.remaining() + self._journal.unwritten

    def _start(
        self, trial: str | None, params: Mapping[str, Any], tags: Mapping[str, str], at: float | None = None
    ) -> None:
        self._append("start", trial, at, params=self._texts(params), tags=self._texts(tags))

    def _append(self, kind: str, trial: str | None, at: float | None = None, **body: Any) -> None:
        if trial is not None and trial not in self._good_trials:
            self._good_trials.add(checked_name("trial", trial))
        self._journal.append(kind, {"trial": trial, **body}, at)

    def _kept_path(self, path: Path) -> str:
        path = path.absolute()
        if not path.exists():
            raise QsynthError(f"artifact must exist; got {path}")
        if not path.is_relative_to(self._run_dir):
            raise QsynthError(f"artifact must be in the run directory {self._run_dir}; got {path}")
        return str(path.relative_to(self._run_dir))

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {self._checked_key(key): str(value) for key, value in values.items()}

    def _checked_key(self, key: str) -> str:
        if key not in self._good_keys:
            self._good_keys.add(checked_key(key))
        return key

    def _deliver(self) -> None:
        wait, said = FIRST_WAIT_SECONDS, ""
        while True:
            try:
                self.attempt_lock.check()
                closing = self._closing.is_set()
                moved = self._replay.step()
                wait, said = FIRST_WAIT_SECONDS, ""
                if not moved:
                    self._complete = time.monotonic()
                if not moved and closing:
                    return
                if not moved:
                    self._closing.wait(IDLE_SECONDS)
            except Exception as error:  # the thread outlives any fault of the store
                if isinstance(error, OutOfTimeError | QsynthError) and not isinstance(error, FolderError):
                    return  # no time left, or a newer attempt delivers now
                if (reason := type(error).__name__) != said:
                    logger.warning("%s", _waiting(error))
                    said = reason
                if self._closing.wait(wait):
                    time.sleep(FIRST_WAIT_SECONDS)
                else:
                    wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def _checked_status(status: Status) -> Status:
    if status not in get_args(Status):
        raise QsynthError(f"status must be one of {', '.join(get_args(Status))}; got {status!r}")
    return status


def _waiting(error: Exception) -> str:
    if isinstance(error, FolderError):
        return f"{error}; what MLflow has got by now, it may get again"
    return f"MLflow can't be reached ({describe(error)}); records wait in the journal"

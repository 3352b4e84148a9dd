"""From the journal to MLflow, in batches that may be sent again without harm."""

import logging
import math
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cluster.system.files import writing_below
from cluster.tracking.journal import Cursor
from cluster.tracking.model_registry import register
from cluster.tracking.record import Record
from cluster.tracking.runs import NOTE_TAG, StudyRuns
from cluster.tracking.store import Location, TrackingStore

RECORDS_AT_ONCE = 1000
METRICS_A_CALL = 500
PARAMS_A_CALL = 100
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
UPLOAD_TRIES = 8
CONTEXT_TAG = "mlflow.data.context"
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE"})

_IMAGE = re.compile(r"!\[([^]]*)\]\((?![a-z]+:|/)([^)\s]+)\)")
_LINK = re.compile(r"\]\(trial:([^)]*)\)")
logger = logging.getLogger(__name__)


class OutOfTimeError(Exception):
    """The time to deliver is over; what is left waits in the journal."""


@dataclass(kw_only=True)
class Outbox:
    """What a batch of records says about one run. Times are in milliseconds since 1970."""

    start_time: int
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[tuple[str, float, int, int]] = field(default_factory=list)  # key, value, time, step
    artifacts: list[tuple[str, str]] = field(default_factory=list)  # path, folder
    datasets: list[dict[str, str]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None  # Markdown, the last one
    status: tuple[str, int] | None = None  # the last one, and when

    def add(self, record: Record) -> None:
        """Take in one record of this run; later tags and statuses replace earlier ones."""
        body = record.body
        match record.kind:
            case "start":
                self.params = {**body["params"], **self.params}
                self.tags |= changes(self.params, body["params"])
                self.tags |= body["tags"] | {"qsynth.attempt": str(record.attempt)}
                self.status = ("RUNNING", record.time)
            case "metrics":
                self.metrics += [(key, value, record.time, body["step"]) for key, value in body["metrics"].items()]
            case "tags":
                self.tags |= body["tags"]
            case "artifact":
                self.artifacts.append((body["path"], body["folder"]))
            case "note":
                self.note = body["markdown"]
            case "dataset":
                self.datasets.append(body["dataset"])
            case "model":
                self.artifacts.append((body["path"], body["model"]["folder"]))
                self.models.append(body["model"])
            case "end":
                self.status = (body["status"], record.time)


class Delivery:
    """Delivers a run directory's journal to one tracking store, from where the last delivery ended."""

    def __init__(self, run_dir: Path, store: TrackingStore) -> None:
        """Nothing is sent or imported yet."""
        self._run_dir, self._store = run_dir, store
        self._cursor = Cursor(run_dir, store.label)
        self._client: Any = None
        self._runs: StudyRuns | None = None
        self._tries: dict[tuple[str, str], int] = {}
        self._skipped_now = 0
        #: params, tags, metrics, artifacts, datasets and models that MLflow refused for good
        self.skipped = 0
        #: records delivered
        self.delivered = 0
        #: monotonic seconds after which no call is begun
        self.deadline = math.inf

    @property
    def location(self) -> Location | None:
        """Where to look; None before the parent run exists."""
        return self._runs.location if self._runs else None

    def remaining(self) -> int:
        """Records that were not delivered yet."""
        return self._cursor.remaining()

    def step(self) -> bool:
        """Deliver the next batch of records; False when there was none.

        Raises:
            OutOfTimeError: the deadline has passed.
            FolderError: the run directory can't be written; the batch will be sent again.
            Exception: whatever MLflow raises when the store can't be reached; the batch will be sent again.
        """
        records = self._cursor.read(RECORDS_AT_ONCE)
        if records:
            runs = self._connected()
            records = self._cursor.read(RECORDS_AT_ONCE)  # from the start, when the store had lost the study
            self._skipped_now = 0
            self._deliver(runs, records)
            with writing_below(self._run_dir):
                runs.save()
            self.skipped += self._skipped_now
            self.delivered += len(records)
        with writing_below(self._run_dir):
            return self._cursor.advance()

    def close_orphans(self) -> None:
        """End as KILLED the runs of a study whose process died without ending them.

        Raises:
            Exception: whatever MLflow raises when the store can't be reached.
        """
        runs, now = self._connected(), time.time_ns() // 1_000_000
        if runs.location is None:
            return
        self._end_trials(runs, "KILLED", now)
        if self._client.get_run(runs.location.run_id).info.status == "RUNNING":
            self._client.set_terminated(runs.location.run_id, "KILLED", now)

    def _connected(self) -> StudyRuns:
        if self._runs is None:
            self._in_time()
            client = self._store.client()
            runs = StudyRuns(self._run_dir, self._store, client)
            if runs.lost:
                logger.warning("%s no longer has this study; all of it is sent again", self._store.shown_uri)
                self._cursor.rewind()
            self._client, self._runs = client, runs
        return self._runs

    def _deliver(self, runs: StudyRuns, records: Sequence[Record]) -> None:
        outboxes: dict[str | None, Outbox] = {}
        for record in records:
            if not record.sendable:
                self._skip(1, f"record {record.seq}", ValueError("it is damaged"))
                continue
            outboxes.setdefault(record.body.get("trial"), Outbox(start_time=record.time)).add(record)
        ids = {}
        for trial, outbox in outboxes.items():
            self._in_time()
            ids[trial] = runs.of(trial, outbox.start_time)
            self._send_values(runs, ids[trial], outbox)
        for trial, outbox in sorted(outboxes.items(), key=lambda item: item[0] is None):  # the parent ends last
            if outbox.status:
                self._set_status(runs, ids[trial], trial, *outbox.status)
        for trial, outbox in outboxes.items():
            for path, folder in outbox.artifacts:
                self._send_artifact(runs, ids[trial], path, folder)
            for dataset in outbox.datasets:
                send = partial(self._send_dataset, ids[trial], dataset)
                self._patiently(runs, ids[trial], f"dataset {dataset['name']}", send)
            for model in outbox.models:
                send = partial(register, self._client, ids[trial], model)
                self._patiently(runs, ids[trial], f"model {model['name']}", send)

    def _send_values(self, runs: StudyRuns, run_id: str, outbox: Outbox) -> None:
        from mlflow.entities import Metric, Param, RunTag

        tags = {key: _cut(value, TAG_LENGTH) for key, value in outbox.tags.items()}
        params = {key: _cut(value, PARAM_LENGTH) for key, value in outbox.params.items()}
        if outbox.note is not None:
            note = _LINK.sub(lambda found: f"]({runs.page(found[1])})", _shown(outbox.note, run_id))
            tags[NOTE_TAG] = _cut(note, TAG_LENGTH)
        if params:
            self._in_time()
            kept = self._client.get_run(run_id).data.params
            tags |= changes(kept, params)
            params = {key: value for key, value in params.items() if key not in kept}
        self._send(runs, run_id, "params", [Param(*item) for item in params.items()], PARAMS_A_CALL)
        self._send(runs, run_id, "tags", [RunTag(*item) for item in tags.items()], PARAMS_A_CALL)
        self._send(runs, run_id, "metrics", [Metric(*item) for item in outbox.metrics], METRICS_A_CALL)

    def _send(self, runs: StudyRuns, run_id: str, kind: str, items: Sequence[Any], at_once: int) -> None:
        """Send items in calls of ``at_once``; of a call that MLflow refuses, everything but the culprits."""
        from mlflow.exceptions import MlflowException

        for first in range(0, len(items), at_once):
            chunk = items[first : first + at_once]
            self._in_time()
            try:
                self._client.log_batch(run_id, **{kind: chunk})
            except MlflowException as error:
                if error.error_code not in REFUSALS:
                    raise
                if len(chunk) == 1 or not runs.is_active(run_id):
                    self._skip(len(chunk), f"{kind} of run {run_id}, first {chunk[0].key!r}", error)
                else:
                    self._send(runs, run_id, kind, chunk, math.ceil(len(chunk) / 2))

    def _set_status(self, runs: StudyRuns, run_id: str, trial: str | None, status: str, time_ms: int) -> None:
        self._in_time()
        if not runs.is_active(run_id):
            return
        if status == "RUNNING":
            self._client.update_run(run_id, status=status)
            return
        if trial is None:
            self._end_trials(runs, status, time_ms)
        self._client.set_terminated(run_id, status, time_ms)

    def _end_trials(self, runs: StudyRuns, status: str, time_ms: int) -> None:
        for run_id in list(runs.running_trials()):
            self._in_time()
            self._client.set_terminated(run_id, status, time_ms)

    def _send_artifact(self, runs: StudyRuns, run_id: str, path: str, folder: str) -> None:
        file = self._run_dir / path
        if not file.exists():
            self._skip(1, f"artifact {file}", FileNotFoundError("it is gone"))
            return
        if not _plain(file, self._run_dir):
            self._skip(1, f"artifact {file}", ValueError("it leads out of the run directory, or is no file"))
            return
        upload = self._client.log_artifacts if file.is_dir() else self._client.log_artifact
        self._patiently(runs, run_id, f"artifact {file}", partial(upload, run_id, str(file), folder or None))

    def _send_dataset(self, run_id: str, dataset: Mapping[str, str]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        values = {key: value for key, value in dataset.items() if key != "context"}
        tags = [InputTag(CONTEXT_TAG, dataset["context"])]
        self._client.log_inputs(run_id, [DatasetInput(Dataset(**values), tags)])

    def _patiently(self, runs: StudyRuns, run_id: str, what: str, send: Callable[[], object]) -> None:
        """Send one thing; what a store that answers didn't take too often holds the rest up no longer."""
        self._in_time()
        try:
            send()
        except Exception as error:
            runs.is_active(run_id)  # raises when the store is away
            self._tries[run_id, what] = self._tries.get((run_id, what), 0) + 1
            if self._tries[run_id, what] < UPLOAD_TRIES:
                raise
            self._skip(1, what, error)

    def _skip(self, count: int, what: str, error: Exception) -> None:
        self._skipped_now += count
        logger.warning("MLflow did not take %s: %s", what, " ".join(str(error).split())[:300])

    def _in_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise OutOfTimeError


def describe(error: Exception) -> str:
    """What a store raised, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def changes(kept: Mapping[str, str], params: Mapping[str, str]) -> dict[str, str]:
    """Tags for the params whose kept value differs: MLflow's params are written once."""
    return {f"qsynth.changed.{key}": value for key, value in params.items() if kept.get(key, value) != value}


def _shown(markdown: str, run_id: str) -> str:
    """Markdown whose images by relative path, which are artifacts, have the addresses that MLflow's pages know."""
    return _IMAGE.sub(rf"![\1](get-artifact?path=\2&run_uuid={run_id})", markdown)


def _plain(path: Path, folder: Path) -> bool:
    """Whether a path, and all below it, are files and folders within ``folder``, whatever links say."""
    root = os.path.realpath(folder)
    return all(
        Path(os.path.realpath(each)).is_relative_to(root) and (each.is_file() or each.is_dir())
        for each in (path, *path.rglob("*"))
    )


def _cut(value: str, length: int) -> str:
    """``value``, or its beginning and a mark that says how long it was."""
    mark = f"... [cut, {len(value)} characters]"
    return value if len(value) <= length else value[: length - len(mark)] + mark

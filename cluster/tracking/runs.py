"""The MLflow runs of one study: found again by tag, one run a trial for ever."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError

from cluster.system.files import read_json_object
from cluster.tracking.store import VIEW, Location, TrackingStore
from qsynth.files.atomic import atomic_write_json

CACHE_NAME = "tracking_runs.json"
STUDY_TAG = "qsynth.study"
TRIAL_TAG = "qsynth.trial"
ROLE_TAG = "qsynth.role"
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
KIND_TAG = "mlflow.experimentKind"  # MLflow opens the view for machine learning, not that for language models
EXPERIMENT_NOTE = (
    "A run is a study: quantum GANs that synthesise training data, and an agent that changes their hyperparameters "
    "while they train. Its description has the result; its child runs are the trials that were measured, named by "
    "who tuned them: sort by `test/score` for the best. Steps are GAN iterations there, and sampled decisions in "
    "`training the agent`."
)

RunId = Annotated[str, Field(min_length=1, max_length=200)]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    """What the cache file holds."""

    parent: RunId
    trials: dict[str, RunId]


class StudyRuns:
    """Ids of a study's parent run and its trials' runs, cached in a file of the run directory or looked up by tag."""

    def __init__(self, run_dir: Path, store: TrackingStore, client: Any) -> None:
        """Find or create the experiment.

        Raises:
            Exception: whatever MLflow raises when the store can't be reached.
        """
        self._store, self._client, self._file = store, client, run_dir / CACHE_NAME
        self.experiment_id = self._experiment()
        kept = read_json_object(self._file)
        self._parent: str | None
        self._trials: dict[str, str]
        self._parent, self._trials = _known(kept.get("runs") if kept.get("store") == store.label else None)
        self._unsaved = False
        #: the store no longer has the parent run that this run directory knew: everything must be sent to it again
        self.lost = self._parent is not None and not self.is_active(self._parent)
        if self.lost:
            self._parent, self._trials = None, {}

    @property
    def location(self) -> Location | None:
        """Where to look; None before the parent run exists."""
        if self._parent is None:
            return None
        return Location(self._store.shown_uri, self.experiment_id, self._parent)

    def parent(self, time_ms: int) -> str:
        """Id of the study's own run, which is found by tag or created with start time ``time_ms``."""
        if self._parent is None:
            tags = {STUDY_TAG: self._store.study, ROLE_TAG: "study"}
            self._parent = self._found(tags) or self._created(self._store.study, tags, time_ms)
            self._unsaved = True
        return self._parent

    def of(self, trial: str | None, time_ms: int) -> str:
        """Id of a trial's run, found by tag or created as a child of the parent run; trial None is the parent."""
        parent = self.parent(time_ms)
        if trial is None:
            return parent
        if trial not in self._trials:
            tags = {STUDY_TAG: self._store.study, TRIAL_TAG: trial, ROLE_TAG: "trial"}
            found = self._found(tags)
            self._trials[trial] = found or self._created(trial, {**tags, PARENT_TAG: parent}, time_ms)
            self._unsaved = True
        return self._trials[trial]

    def page(self, trial: str) -> str:
        """Where MLflow's pages have a trial's run, for a link on another of them; without a name, or before it exists,
        the table of the study's trials, the best first."""
        runs = f"#/experiments/{self.experiment_id}/runs"
        if trial in self._trials:
            return f"{runs}/{self._trials[trial]}?{VIEW}"
        condition = _tagged({STUDY_TAG: self._store.study, ROLE_TAG: "trial"})
        order = "orderByKey=metrics.%60test%2Fscore%60&orderByAsc=false"
        return f"{runs}?{VIEW}&searchFilter={quote(condition, safe='')}&{order}"

    def running_trials(self) -> Iterator[str]:
        """Ids of the study's child runs that MLflow takes for running."""
        condition = _tagged({STUDY_TAG: self._store.study, ROLE_TAG: "trial"}) + " and attributes.status = 'RUNNING'"
        token = None
        while True:
            page = self._client.search_runs([self.experiment_id], condition, max_results=1000, page_token=token)
            yield from (run.info.run_id for run in page)
            token = page.token
            if not token:
                return

    def is_active(self, run_id: str) -> bool:
        """Whether the store has the run, and it is not deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False

    def save(self) -> None:
        """Write what was found or created since the last call to the cache file.

        Raises:
            OSError: the file can't be written; the runs will be looked up again.
        """
        if self._unsaved:
            runs = {"parent": self._parent, "trials": self._trials}
            atomic_write_json(self._file, {"store": self._store.label, "runs": runs})
            self._unsaved = False

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._store.experiment)
        if found is None:
            location = self._store.artifact_location
            tags = {NOTE_TAG: EXPERIMENT_NOTE, KIND_TAG: "custom_model_development"}
            return str(self._client.create_experiment(self._store.experiment, location, tags))
        if found.lifecycle_stage != "active":
            logger.warning("experiment %r had been deleted in MLflow; it is restored", self._store.experiment)
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _found(self, tags: dict[str, str]) -> str | None:
        order = ["attributes.start_time ASC"]
        runs = self._client.search_runs([self.experiment_id], _tagged(tags), max_results=1, order_by=order)
        return str(runs[0].info.run_id) if runs else None

    def _created(self, name: str, tags: dict[str, str], time_ms: int) -> str:
        run = self._client.create_run(self.experiment_id, start_time=time_ms, tags=tags, run_name=name)
        return str(run.info.run_id)


def _known(kept: object) -> tuple[str | None, dict[str, str]]:
    """Ids of the parent run and the trials' runs in what a cache file holds; none where that is something else."""
    try:
        found = TypeAdapter(_Kept).validate_python(kept)
    except ValidationError:
        return None, {}
    return found.parent, found.trials


def _tagged(tags: dict[str, str]) -> str:
    """MLflow's filter for runs with all of ``tags``, whose values hold no quotes."""
    return " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())

"""A study's run in MLflow from the moment of its submission, before its job has begun."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster.tracking.runs import NOTE_TAG, StudyRuns
from cluster.tracking.store import EXPERIMENT, Location, TrackingStore


def create_scheduled_run(run: str, tracking_uri: str) -> Location | None:
    """Create the parent run, which the job will find by its name.

    Returns:
        Where to look at it.

    Raises:
        QsynthError: an unfit URI.
        Exception: whatever MLflow raises when the store can't be reached.
    """
    store = TrackingStore.make(tracking_uri, EXPERIMENT, run)
    client = store.client()
    with TemporaryDirectory() as folder:
        runs = StudyRuns(Path(folder), store, client)
        found = runs.parent(time.time_ns() // 1_000_000)
        client.update_run(found, status="SCHEDULED")
        client.set_tag(found, NOTE_TAG, "Submitted; the job has not begun.")
        return runs.location


def delete_scheduled_run(location: Location) -> None:
    """Delete the run of a study whose job was not taken."""
    TrackingStore.make(location.tracking_uri, EXPERIMENT, "withdrawn").client().delete_run(location.run_id)

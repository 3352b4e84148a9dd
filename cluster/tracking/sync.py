"""What a study could not send to MLflow while it ran, sent afterwards."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.system.attempt_lock import LOCK_NAME, take_lock
from cluster.system.files import FolderError
from cluster.system.sqlite_file import is_half_made
from cluster.tracking.delivery import Delivery, describe
from cluster.tracking.journal import JOURNAL_NAME
from cluster.tracking.store import HIDDEN, Location, TrackingStore
from qsynth.errors import QsynthError

SYNC_TRIES = 5
FIRST_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class SyncResult:
    """What ``sync`` did: records delivered, values that MLflow refused for good, and where to look."""

    delivered: int
    skipped: int
    location: Location | None


def sync(run_dir: Path, tracking_uri: str | None = None) -> SyncResult:
    """Deliver what a run directory's journal still holds; runs that a killed process left open end as KILLED.

    Args:
        run_dir: of a study that is not running.
        tracking_uri: another store than the study's own; everything is delivered to it then.

    Raises:
        QsynthError: no study's run directory, a live process writes it, or the store can't be reached.
    """
    run_dir = run_dir.absolute()
    store = TrackingStore.load(run_dir)
    if tracking_uri is None and f":{HIDDEN}@" in store.uri:
        raise QsynthError(f"tracking uri must be given, its password is not stored; the study used {store.uri}")
    store = TrackingStore.make(tracking_uri or store.uri, store.experiment, store.study)
    if not (run_dir / JOURNAL_NAME).exists():
        raise QsynthError(f"{run_dir} must hold a {JOURNAL_NAME}")
    with open(take_lock(run_dir / LOCK_NAME)):
        replay = Delivery(run_dir, store)
        tries = 0
        while True:
            try:
                while replay.step():
                    pass
                replay.close_orphans()
                return SyncResult(replay.delivered, replay.skipped, replay.location)
            except FolderError:
                raise
            except Exception as error:
                tries += 1
                again = shlex.join(["qsynth", "sync", str(run_dir)])
                if store.file is not None and store.file.is_file() and is_half_made(store.file):
                    aside = shlex.join(["mv", str(store.file), f"{store.file}.half-made"])
                    raise QsynthError(
                        f"{store.file} must be a whole database; MLflow's tables in it are half-made, and no run is "
                        f"there yet ({describe(error)[:100]}). Nothing is lost: {aside}; {again}"
                    ) from None
                if tries == SYNC_TRIES:
                    raise QsynthError(
                        f"tracking store {store.shown_uri} must be reachable; got {describe(error)}. "
                        f"{replay.remaining()} records wait in {run_dir}: {again}"
                    ) from None
                time.sleep(FIRST_WAIT_SECONDS * 2**tries)

"""Where a study's records go: an MLflow tracking store, an experiment in it, and the study's name there."""

import logging
import posixpath
import re
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from cluster.system.environment import set_defaults
from cluster.system.files import read_json_object
from cluster.system.home import log_in_to_tracking
from cluster.system.sqlite_file import SQLITE, make_at, make_database, sqlite_path, sqlite_uri
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_json

STORE_NAME = "tracking.json"
HIDDEN = "***"
EXPERIMENT = "qsynth"
VIEW = "workflowType=machine_learning"  # MLflow's pages open in that for language models, without it
CLIENT_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_NAME = re.compile(r"\w[\w.:/ =,+-]{0,199}")
_KEY = re.compile(r"[\w.\-/ :]{1,250}")


def checked_name(kind: str, name: str) -> str:
    """``name``, fit to be a tag that is searched for.

    Raises:
        QsynthError: not 1-200 characters, or one of them is no letter, digit, space or ``_.:/=,+-``.
    """
    if not _NAME.fullmatch(name):
        raise QsynthError(f"{kind} must be 1-200 letters, digits, spaces or any of _.:/=,+- ; got {name!r}")
    return name


def checked_key(key: str) -> str:
    """``key``, fit to be the name of a metric, param or tag.

    Raises:
        QsynthError: not 1-250 characters, one of them is no letter, digit or ``_-. :/``, or not a plain relative path.
    """
    if not _KEY.fullmatch(key) or posixpath.normpath(key) != key or key[0] in "/.":
        raise QsynthError(f"metric, param and tag names must be 1-250 letters, digits or any of _-. :/ ; got {key!r}")
    return key


@dataclass(frozen=True)
class Location:
    """Where to look at a study; ``str`` of it is an address or a command to type."""

    tracking_uri: str
    experiment_id: str
    run_id: str

    def __str__(self) -> str:
        if self.tracking_uri.startswith("http"):
            return f"{self.tracking_uri.rstrip('/')}/#/experiments/{self.experiment_id}/runs/{self.run_id}?{VIEW}"
        command = shlex.join(["mlflow", "ui", "--backend-store-uri", self.tracking_uri])
        return f"{command}  (run {self.run_id})"


@dataclass(frozen=True)
class TrackingStore:
    """A tracking store's URI with the experiment's and the study's name."""

    uri: str
    experiment: str
    study: str

    @classmethod
    def make(cls, uri: str, experiment: str, study: str) -> Self:
        """Check the names, and make an SQLite file's path absolute.

        Raises:
            QsynthError: not a URI, a password in an HTTP address, SQLite in memory, or an unfit name.
        """
        parts = urlsplit(uri)
        if not parts.scheme or "://" not in uri:
            raise QsynthError(f"tracking uri must look like http://HOST:5000 or sqlite:///FILE; got {uri!r}")
        if parts.scheme in ("http", "https") and "@" in parts.netloc:
            raise QsynthError(
                "tracking uri must not hold a password; got one. "
                "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead."
            )
        if parts.scheme.startswith("sqlite"):
            uri = sqlite_uri(sqlite_path(uri))
        return cls(uri, checked_name("experiment", experiment), checked_name("study", study))

    @classmethod
    def load(cls, run_dir: Path) -> Self:
        """The store that ``save`` noted in a run directory.

        Raises:
            QsynthError: there is none.
        """
        kept = read_json_object(run_dir / STORE_NAME)
        if set(kept) != {"uri", "experiment", "study"} or not all(isinstance(value, str) for value in kept.values()):
            raise QsynthError(f"{run_dir} must be the run directory of a study; it has no readable {STORE_NAME}")
        return cls(**kept)

    def save(self, run_dir: Path) -> None:
        """Note the store, without a password, in ``run_dir``.

        Raises:
            OSError: the file can't be written.
        """
        atomic_write_json(run_dir / STORE_NAME, {**asdict(self), "uri": self.shown_uri})

    @property
    def shown_uri(self) -> str:
        """The URI with its password, if any, replaced by ``***``."""
        parts = urlsplit(self.uri)
        if parts.password is None:
            return self.uri
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}:{HIDDEN}@{host}"))

    @property
    def label(self) -> str:
        """Tells stores apart in the files of a run directory; it holds no password."""
        return f"{self.shown_uri} {self.experiment}/{self.study}"

    @property
    def artifact_location(self) -> str | None:
        """``mlartifacts`` beside an SQLite file, as a URI; None where the server decides."""
        return None if self.file is None else (self.file.parent / "mlartifacts").as_uri()

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a server, or another database."""
        return sqlite_path(self.uri) if self.uri.startswith(SQLITE) else None

    def client(self) -> Any:
        """An ``MlflowClient`` that gives up within seconds and prints nothing. It may create the database: seconds.

        The settings apply to the process, unless the environment has them already.

        Raises:
            Exception: whatever MLflow raises when the store can't be reached.
        """
        set_defaults(CLIENT_SETTINGS)
        log_in_to_tracking(self.uri)
        # It raises too, and whoever calls says so; beside that it would log a traceback at each try on a full disk.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        from mlflow import MlflowClient

        if self.file is None:
            return MlflowClient(tracking_uri=self.uri)
        make_database(self.file, MlflowClient)
        return make_at(self.file, MlflowClient)

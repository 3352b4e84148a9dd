"""A store that fails says so once, to who asked."""

import sqlite3
from contextlib import closing

import pytest
from mlflow.exceptions import MlflowException

from cluster.system.sqlite_file import sqlite_path
from cluster.tracking.store import TrackingStore

pytestmark = pytest.mark.filterwarnings(
    "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"
)


def test_mlflow_logs_no_traceback_of_what_it_raises(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    client = TrackingStore.make(uri, "e", "s").client()
    experiment = client.create_experiment("one")
    with closing(sqlite3.connect(sqlite_path(uri))) as store:
        store.execute("drop table tags")  # of the same kind as a full disk, for MLflow
        store.commit()
    with pytest.raises(MlflowException, match="no such table"):
        client.create_run(experiment)
    assert capfd.readouterr() == ("", "")

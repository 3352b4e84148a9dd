"""A folder that can't be written any more: one line that names it, and the command to go on with."""

import errno
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.commands import run_tune
from cluster.study.run_directory import RunDirectory
from cluster.system.files import FolderError, writing_below
from cluster.tracking.journal import JOURNAL_NAME, Journal
from cluster.tracking.store import TrackingStore
from cluster.tracking.tracker import Tracker
from cluster.tuning.tune import Tuning
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_text

pytestmark = pytest.mark.filterwarnings(
    "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"
)
TROUBLE = [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT]


@contextmanager
def no_ray(*_: object) -> Iterator[dict[str, float]]:
    yield {"CPU": 1.0}


@pytest.fixture
def tuned(tmp_path: Path, tiny_file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`qsynth tune` of a tiny study, whose work is what a test says."""
    monkeypatch.setattr("cluster.machines.session.ray_session", no_ray)
    monkeypatch.setattr(TrackingStore, "client", lambda _: pytest.fail("MLflow is not asked"))

    def tune(work: Any) -> None:
        monkeypatch.setattr(Tuning, "execute", work)
        monkeypatch.setattr(Tracker, "_deliver", lambda _: None)
        run_tune(str(tiny_file), tmp_path / "my runs", "one", False, {}, None, None, True)

    return tune


@pytest.mark.parametrize("number", TROUBLE)
def test_a_study_says_so_and_how_to_go_on(tmp_path: Path, tuned: Any, number: int) -> None:
    run = RunDirectory(tmp_path / "my runs" / "one")

    def work(_: Tuning, __: object) -> None:
        raise OSError(number, os.strerror(number), str(run.stages / "rows.json"))

    with pytest.raises(QsynthError) as failed:
        tuned(work)
    said, _, command = str(failed.value).partition(". Go on with: ")
    assert said == f"{run.path} must be writable: {os.strerror(number)} (stages/rows.json)"
    assert shlex.split(command)[3:] == ["--resume", "--run", "one", "--out", str(run.path.parent)]
    assert "must be writable" in (run.path / JOURNAL_NAME).read_text()  # MLflow is told as well


def test_a_folder_that_goes_away_midway(tmp_path: Path, tuned: Any) -> None:
    run = RunDirectory(tmp_path / "my runs" / "one")

    def work(_: Tuning, __: object) -> None:
        run.path.rename(tmp_path / "elsewhere")
        atomic_write_text(run.stages / "rows.json", "{}")

    with pytest.raises(QsynthError, match=r"one must be writable: No such file .*Go on with: qsynth tune tiny"):
        tuned(work)


def test_somebody_elses_mistake_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    for error in (OSError(errno.ECONNREFUSED, "refused"), PermissionError(errno.EACCES, "no", "/etc/shadow")):
        with pytest.raises(OSError, match=r"refused|shadow") as raised, writing_below(tmp_path):
            raise error
        assert raised.value is error
    with (
        pytest.raises(FolderError, match=f"{tmp_path} must be writable: full. Do this$"),
        writing_below(tmp_path, "Do this"),
    ):
        raise OSError(errno.ENOSPC, "full")


def test_the_log_does_not_blame_mlflow(tmp_path: Path, uri: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "run" / "journal.offset.json").mkdir(parents=True)
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({}, {})
    end = time.monotonic() + 60
    while not caplog.messages and time.monotonic() < end:
        time.sleep(0.05)
    (tmp_path / "run" / "journal.offset.json").rmdir()
    assert tracker.close("FINISHED") == 0
    assert [each.partition(":")[0] for each in caplog.messages] == [f"{tmp_path}/run must be writable"]


def test_a_read_only_disk_keeps_records_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, write = Journal(tmp_path), os.write

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "write", refuse)
    journal.append("tags", {"trial": None, "tags": {}})
    assert journal.unwritten == 1
    monkeypatch.setattr(os, "write", write)
    journal.append("tags", {"trial": None, "tags": {}})
    journal.close()
    assert len((tmp_path / JOURNAL_NAME).read_text().splitlines()) == 2

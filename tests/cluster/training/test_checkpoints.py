"""A checkpoint is whole or not there, whatever happens while it is saved."""

import errno
import json
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.system.attempt_lock import LOCK_NAME, AttemptLock
from cluster.training.checkpoints import MANIFEST_NAME, STATE_NAME, CheckpointStore, DiskFull
from qsynth.errors import QsynthError

ROOT = Path(__file__).parents[3]
Usage = namedtuple("Usage", "total used free")


def writing(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "module").mkdir()
        (folder / "module" / "weights.bin").write_text(text)

    return write


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_dir())


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    """Two checkpoints, states 1 and 2."""
    store = CheckpointStore(tmp_path)
    for step in (1, 2):
        store.save(writing(f"weights {step}"), {"step": step})
    return store


def test_save_and_latest(store: CheckpointStore, tmp_path: Path) -> None:
    path = store.save(writing("weights 3"), {"step": 3, "best": [0.5, None]})
    assert names(tmp_path) == ["checkpoint-000002", "checkpoint-000003"]
    latest = CheckpointStore(tmp_path).latest()
    assert latest is not None
    assert (latest.path, latest.index, latest.state) == (path, 3, {"step": 3, "best": [0.5, None]})
    assert (latest.path / "module" / "weights.bin").read_text() == "weights 3"
    manifest = json.loads((path / MANIFEST_NAME).read_text())
    assert manifest["files"].keys() == {"module/weights.bin", STATE_NAME}


def test_an_empty_store_has_no_latest(tmp_path: Path) -> None:
    assert CheckpointStore(tmp_path / "new").latest() is None


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "bit flipped": lambda folder: flip(folder / "module" / "weights.bin"),
    "truncated": lambda folder: (folder / "module" / "weights.bin").write_text("we"),
    "file lost": lambda folder: (folder / "module" / "weights.bin").unlink(),
    "file added": lambda folder: (folder / "module" / "class_and_ctor_args.pkl").write_bytes(b"\x80"),
    "link added": lambda folder: (folder / "module" / "link").symlink_to("/etc/hostname"),
    "state damaged": lambda folder: flip(folder / STATE_NAME),
    "manifest lost": lambda folder: (folder / MANIFEST_NAME).unlink(),
    "manifest truncated": lambda folder: (folder / MANIFEST_NAME).write_text('{"index": 2, "files": {'),
    "manifest of another": lambda folder: shutil.copy(folder.parent / "checkpoint-000001" / MANIFEST_NAME, folder),
    "emptied": lambda folder: shutil.move(folder / "module", folder.parent / "elsewhere"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_one_is_skipped(store: CheckpointStore, tmp_path: Path, damage: str) -> None:
    DAMAGES[damage](tmp_path / "checkpoint-000002")
    latest = store.latest()
    assert latest is not None
    assert latest.index == 1


def test_damaged_ones_do_not_count_as_kept(store: CheckpointStore, tmp_path: Path) -> None:
    (tmp_path / "checkpoint-000002" / MANIFEST_NAME).unlink()
    store.save(writing("weights 3"), {})
    assert "checkpoint-000001" in names(tmp_path)
    store.save(writing("weights 4"), {})
    assert names(tmp_path) == ["checkpoint-000003", "checkpoint-000004"]


@pytest.mark.parametrize("free", [63 * 2**20, 0])
def test_a_full_disk_is_seen_before(store: CheckpointStore, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**30, 2**30 - free, free))
    with pytest.raises(DiskFull, match="must have 64 MiB free"):
        store.save(lambda _: pytest.fail("must not begin to write"), {})
    latest = store.latest()
    assert latest is not None
    assert latest.index == 2


def test_room_for_two_of_the_previous_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CheckpointStore(tmp_path)
    store.save(lambda folder: (folder / "big").write_bytes(bytes(40 * 2**20)), {})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**30, 0, 79 * 2**20))
    with pytest.raises(DiskFull, match="must have 80 MiB free"):
        store.save(writing("x"), {})


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("bug")])
def test_a_failed_write_leaves_the_earlier_ones(store: CheckpointStore, tmp_path: Path, error: Exception) -> None:
    def write(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise error

    with pytest.raises(DiskFull if isinstance(error, OSError) else RuntimeError):
        store.save(write, {})
    assert names(tmp_path) == ["checkpoint-000001", "checkpoint-000002"]
    latest = store.latest()
    assert latest is not None
    assert latest.index == 2


def test_bad_contents_are_refused(store: CheckpointStore) -> None:
    with pytest.raises(QsynthError, match="state must be JSON"):
        store.save(writing("x"), {"step": object()})
    with pytest.raises(QsynthError, match="free"):
        store.save(lambda folder: (folder / STATE_NAME).write_text("{}"), {})
    with pytest.raises(QsynthError, match="link"):
        store.save(lambda folder: (folder / "link").symlink_to("/etc/hostname"), {})


KILLED = """
import sys, time
from pathlib import Path
from cluster.training.checkpoints import CheckpointStore

def write(folder):
    (folder / "half").write_text("half")
    if sys.argv[2] == "writing":
        stop()

def stop():
    print("now", flush=True)
    time.sleep(60)

if sys.argv[2] == "sealed":  # all is written and on the disk, only the rename is missing
    Path.rename = lambda path, target: stop()
store = CheckpointStore(Path(sys.argv[1]))
store.save(write, {"step": 3})
"""


@pytest.mark.parametrize("moment", ["writing", "sealed"])
def test_a_kill_while_saving(store: CheckpointStore, tmp_path: Path, moment: str) -> None:
    saver = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), moment], cwd=ROOT, stdout=subprocess.PIPE)
    assert saver.stdout is not None
    assert saver.stdout.readline() == b"now\n"
    assert "unfinished-000003" in names(tmp_path)
    with pytest.raises(QsynthError, match="must have one writer"):
        store.save(writing("x"), {})
    assert CheckpointStore(tmp_path).latest() == store.latest()
    assert "unfinished-000003" in names(tmp_path)  # a live saver's folder stays
    saver.kill()
    assert saver.wait() == -signal.SIGKILL
    saver.stdout.close()
    reopened = CheckpointStore(tmp_path)
    assert names(tmp_path) == ["checkpoint-000001", "checkpoint-000002"]
    latest = reopened.latest()
    assert latest is not None
    assert latest.state == {"step": 2}
    assert reopened.save(writing("x"), {}).name == "checkpoint-000003"


def test_a_replaced_process_can_not_save(tmp_path: Path) -> None:
    old = AttemptLock(tmp_path)
    store = CheckpointStore(tmp_path / "checkpoints", attempt_lock=old)
    store.save(writing("1"), {"step": 1})

    def replaced_meanwhile(folder: Path) -> None:
        (tmp_path / LOCK_NAME).unlink()
        AttemptLock(tmp_path, above=old.attempt).release()

    with pytest.raises(QsynthError, match="replaced"):
        store.save(replaced_meanwhile, {"step": 2})
    with pytest.raises(QsynthError, match="replaced"):
        store.save(lambda _: pytest.fail("must not begin to write"), {"step": 3})
    old.release()
    latest = store.latest()
    assert latest is not None
    assert latest.state == {"step": 1}
    assert json.loads((latest.path / MANIFEST_NAME).read_text())["attempt"] == 1

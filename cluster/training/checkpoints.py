"""Checkpoints of a study: each one whole and verified, or not there."""

import errno
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.system.attempt_lock import AttemptLock, take_lock
from cluster.system.files import read_json_object
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_json, atomic_write_text, fsync_path

STATE_NAME = "state.json"
MANIFEST_NAME = "manifest.json"
KEPT = 2  # intact checkpoints that stay
LEAST_FREE_BYTES = 64 * 1024 * 1024
_LOCK_NAME = "saving.lock"
_UNFINISHED = "unfinished-"
_FINISHED = re.compile(r"checkpoint-(\d{6,})")


class DiskFull(QsynthError):  # noqa: N818  (an outcome's name)
    """No room for another checkpoint; the ones there are valid."""


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint: its folder, its number, and the state saved with it (JSON)."""

    path: Path
    index: int
    state: dict[str, Any]


class CheckpointStore:
    """The folder of a study's checkpoints ``checkpoint-000001``, ``-000002``, ...

    RLlib's checkpoints contain pickles, which run code when they are loaded: load only what ``latest`` returns, from a
    run directory of one's own. The hashes it verifies tell damage, not forgery: nobody else may write to the folder.
    """

    def __init__(self, directory: Path, attempt_lock: AttemptLock | None = None) -> None:
        """Open or create the folder, and remove what killed processes left unfinished there.

        Args:
            directory: on the file system that holds the checkpoints.
            attempt_lock: the run directory's; a process that was replaced can't save then.
        """
        self._directory, self._attempt_lock = directory, attempt_lock
        directory.mkdir(parents=True, exist_ok=True)
        try:
            lock = take_lock(directory / _LOCK_NAME)
        except QsynthError:  # another process is saving: nothing there is left over
            return
        try:
            self._remove_unfinished()
        finally:
            os.close(lock)

    def save(self, write: Callable[[Path], object], state: dict[str, Any]) -> Path:
        """Save a checkpoint; when this raises, or the process is killed, the earlier checkpoints are as they were.

        Args:
            write: fills the empty folder it is given.
            state: JSON, kept beside what ``write`` wrote.

        Returns:
            The new checkpoint's folder.

        Raises:
            DiskFull: fewer free bytes than 64 MiB or twice the newest checkpoint, or the disk ran full on the way.
            QsynthError: state is no JSON, a reserved file name or a link was written, another process is saving, or a
                newer attempt has begun.
        """
        try:
            text = json.dumps(state, indent=2)
        except (TypeError, ValueError) as error:
            raise QsynthError(f"checkpoint state must be JSON; got {error}") from None
        self._check_attempt()
        lock = take_lock(self._directory / _LOCK_NAME)
        try:
            self._remove_unfinished()
            self._check_space()
            present = self._present()
            index = present[-1][0] + 1 if present else 1
            temporary = self._directory / f"{_UNFINISHED}{index:06d}"
            try:
                temporary.mkdir()
                write(temporary)
                self._seal(temporary, index, text)
                self._check_attempt()
                target = temporary.rename(self._directory / f"checkpoint-{index:06d}")
                fsync_path(self._directory)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
            self._prune()
            return target
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFull(f"disk of {self._directory} must have room for a checkpoint; got {error.strerror}") from None
        finally:
            os.close(lock)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is intact, file by file; None when there is none."""
        for index, path in reversed(self._present()):
            if _is_intact(path, index, hashes=True):
                return Checkpoint(path, index, read_json_object(path / STATE_NAME))
        return None

    def _seal(self, folder: Path, index: int, state: str) -> None:
        for name in (STATE_NAME, MANIFEST_NAME):
            if (folder / name).exists():
                raise QsynthError(f"a checkpoint must leave the name {name} free; got a file of that name")
        atomic_write_text(folder / STATE_NAME, state)
        files = _files_in(folder)
        if files is None:
            raise QsynthError("a checkpoint must hold plain files and folders only; got a link or a device")
        manifest = {
            "index": index,
            "attempt": self._attempt_lock.attempt if self._attempt_lock else None,
            "files": {name: {"bytes": path.stat().st_size, "sha256": _sha256(path)} for name, path in files.items()},
        }
        atomic_write_json(folder / MANIFEST_NAME, manifest, indent=1)
        for parent, _, names in os.walk(folder, topdown=False):
            for name in names:
                fsync_path(Path(parent, name))
            fsync_path(Path(parent))

    def _check_attempt(self) -> None:
        if self._attempt_lock:
            self._attempt_lock.check()

    def _check_space(self) -> None:
        present = self._present()
        last = sum(path.stat().st_size for path in (_files_in(present[-1][1]) or {}).values()) if present else 0
        needed, free = max(LEAST_FREE_BYTES, 2 * last), shutil.disk_usage(self._directory).free
        if free < needed:
            raise DiskFull(
                f"disk of {self._directory} must have {needed / 2**20:.0f} MiB free for a checkpoint; "
                f"got {free / 2**20:.0f} MiB"
            )

    def _prune(self) -> None:
        intact = 0
        for index, path in reversed(self._present()):
            if intact >= KEPT:
                shutil.rmtree(path, ignore_errors=True)
            elif _is_intact(path, index, hashes=False):
                intact += 1

    def _present(self) -> list[tuple[int, Path]]:
        """Numbers and folders of the finished checkpoints, oldest first."""
        found = ((_FINISHED.fullmatch(path.name), path) for path in self._directory.iterdir())
        return sorted((int(match[1]), path) for match, path in found if match)

    def _remove_unfinished(self) -> None:
        for path in self._directory.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(path, ignore_errors=True)


def _is_intact(folder: Path, index: int, *, hashes: bool) -> bool:
    """Whether the folder holds the manifest's files and no others, with their sizes and, if asked, their hashes."""
    manifest = read_json_object(folder / MANIFEST_NAME)
    listed, files = manifest.get("files"), _files_in(folder)
    if manifest.get("index") != index or not isinstance(listed, dict) or files is None:
        return False
    files.pop(MANIFEST_NAME, None)
    if STATE_NAME not in listed or listed.keys() != files.keys():
        return False
    try:
        return all(
            path.stat().st_size == listed[name]["bytes"] and (not hashes or _sha256(path) == listed[name]["sha256"])
            for name, path in files.items()
        )
    except (OSError, TypeError, KeyError):
        return False


def _files_in(folder: Path) -> dict[str, Path] | None:
    """Every file below ``folder`` by its relative path; None when something there is neither file nor folder."""
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            files[path.relative_to(folder).as_posix()] = path
        elif not stat.S_ISDIR(mode):
            return None
    return files


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

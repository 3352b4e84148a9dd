"""One writer a run directory: an exclusive lock, and attempt numbers that outrank older ones."""

import fcntl
import os
import stat
import time
from pathlib import Path

from qsynth.errors import FileError
from qsynth.files.atomic import fsync_path

LOCK_NAME = "attempt.lock"
DIGITS = 9  # of an attempt's number; more are damage
LOOK_SECONDS = 0.02


def take_lock(path: Path) -> int:
    """Descriptor that holds an exclusive lock on ``path`` until it is closed or the process ends, however it ends.

    Raises:
        FileError: another live process (or another object of this one) holds it; or it is no file that can be written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except (OSError, ValueError) as error:
        raise FileError(
            f"{path} must be a file that can be written: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileError(f"{path} must be a file; got a pipe or a device")
    for wait in (LOOK_SECONDS, LOOK_SECONDS, 0.0):  # somebody may just look whether it is held
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            time.sleep(wait)
    os.close(descriptor)
    raise FileError(f"{path.parent} must have one writer; another live process holds {path.name}. Stop it first.")


def is_held(path: Path) -> bool:
    """Whether a live process of this machine holds the lock on ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def last_attempt(directory: Path) -> int:
    """The number of the newest attempt at a run; 0 where none has begun."""
    return _number_in(directory / LOCK_NAME)


class AttemptLock:
    """The right to write to a run directory, taken anew by every start and resume.

    The lock refuses a second writer on the same machine. The attempt number in the lock file serves where locks don't
    reach (a node that was declared dead but lives on, beside its successor on a shared file system): before it writes,
    a holder calls ``check``, which refuses once a newer attempt has begun.
    """

    def __init__(self, directory: Path, above: int = 0) -> None:
        """Take the lock and the next attempt number, which is larger than the last one and than ``above``.

        Raises:
            QsynthError: another live writer holds the directory.
        """
        self._path = directory / LOCK_NAME
        self._descriptor: int | None = take_lock(self._path)
        self.attempt = max(_number_in(self._path), above) + 1
        os.pwrite(self._descriptor, b"%d\n" % self.attempt, 0)
        os.fsync(self._descriptor)
        fsync_path(directory)

    def check(self) -> None:
        """Refuse to go on when this is not the newest attempt.

        Raises:
            QsynthError: a newer attempt has begun, or ``release`` was called.
        """
        if self._descriptor is None:
            raise FileError(f"{self._path.parent} must be held to be written; attempt {self.attempt} let go of it")
        try:
            newest = _number_in(self._path)
        except OSError as error:
            raise FileError(f"{self._path.parent} must be readable: {error.strerror}") from None
        if newest > self.attempt:
            raise FileError(
                f"{self._path.parent} must be written by its newest attempt, {newest}; got attempt {self.attempt}. "
                "This process was replaced: stop it."
            )

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _number_in(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return 0
    try:
        text = os.read(descriptor, 32).strip()
    finally:
        os.close(descriptor)
    return int(text) if text.isdigit() and len(text) <= DIGITS else 0

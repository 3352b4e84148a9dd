"""The one way in which files are written whole: a reader, or a crash, sees the old content or the new."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


@contextmanager
def atomic_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A new file that takes ``path``'s place when the block is over; if that fails, all is as it was.

    Args:
        mode: permissions, of which the umask takes its part.

    Raises:
        OSError: full disk, missing folder, no permission.
    """
    # In the same folder, as a rename can't leave its file system; of a name that no other writer has.
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Replace ``path``'s content.

    Raises:
        OSError: see :func:`atomic_file`.
    """
    with atomic_file(path) as file:
        file.write(content)


def atomic_write_text(path: Path, text: str) -> None:
    """Replace ``path``'s content, in UTF-8.

    Raises:
        OSError: see :func:`atomic_file`.
    """
    atomic_write_bytes(path, text.encode("utf-8"))


def atomic_write_json(path: Path, value: Any, indent: int = 2) -> None:
    """Replace ``path``'s content by ``value`` as indented JSON.

    Raises:
        OSError: see :func:`atomic_file`.
        TypeError: ``value`` is not JSON.
    """
    atomic_write_text(path, json.dumps(value, indent=indent) + "\n")


def atomic_copy(source: Path, path: Path, mode: int = 0o666) -> None:
    """Replace ``path``'s content by that of ``source``.

    Args:
        mode: see :func:`atomic_file`; the source's permissions are not copied.

    Raises:
        OSError: see :func:`atomic_file`; or ``source`` can't be read.
    """
    with source.open("rb") as original, atomic_file(path, mode) as file:
        shutil.copyfileobj(original, file)


def fsync_path(path: Path) -> None:
    """Force a file's content, or a folder's entries, to the disk.

    Raises:
        OSError: as the file system reports it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

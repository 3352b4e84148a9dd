"""Files that a crash leaves either whole or as they were."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from qsynth.errors import FileError


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


def atomic_write_text(path: Path, text: str) -> None:
    """Replace ``path``'s content (UTF-8) by a rename, so that a reader or a crash sees the old content or the new.

    Raises:
        OSError: full disk, missing folder, no permission; ``path`` is then as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


def atomic_write_json(path: Path, value: Any) -> None:
    """``atomic_write_text`` of ``value`` as indented JSON.

    Raises:
        OSError: see ``atomic_write_text``.
        TypeError: ``value`` is not JSON.
    """
    atomic_write_text(path, json.dumps(value, indent=2) + "\n")


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; empty when the file is absent, unreadable or holds anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, before the work that makes it.

    Raises:
        QsynthError: it is a directory, or its directory is missing or can't be written.
    """
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise FileError(f"{path} must be a file in a directory that can be written")

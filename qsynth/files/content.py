"""The one way in which files are read: regular ones of bounded size, without waiting for anybody."""

import os
import stat
from pathlib import Path

from qsynth.errors import FileError

MOST_BYTES = 512 * 1024**2


def as_path(path: object) -> Path:
    """A file's path.

    Raises:
        FileError: it is none.
    """
    if not isinstance(path, str | Path):
        raise FileError(f"path must be a file's path; got {path!r}")
    return Path(path)


def check_regular(path: Path | str) -> Path:
    """The path of a regular file; reading anything else could wait for ever.

    Raises:
        FileError: there is none, or it is a folder, a pipe or a device.
    """
    path = as_path(path)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a character that no path has
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(mode):
        raise FileError(f"{path} must be a file; got {'a folder' if stat.S_ISDIR(mode) else 'a pipe or a device'}")
    return path


def read_content(path: Path | str, most: int = MOST_BYTES) -> bytes:
    """All bytes of a regular file.

    Raises:
        FileError: see :func:`check_regular`; or it can't be read, or has more than ``most`` bytes.
    """
    path = check_regular(path)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = b"" if size > most else file.read(most + 1)
    except (OSError, MemoryError) as error:
        raise _unreadable(path, error) from None
    if max(size, len(content)) > most:
        raise FileError(f"{path} must be at most {_size(most)}; got {max(size, len(content))} bytes")
    return content


def read_text(path: Path | str, most: int = MOST_BYTES) -> str:
    """All text of a regular file in UTF-8.

    Raises:
        FileError: see :func:`read_content`; or it is not UTF-8.
    """
    try:
        return read_content(path, most).decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(f"{path} can't be read: not UTF-8 text") from None


def _unreadable(path: Path, error: Exception) -> FileError:
    return FileError(f"{path} can't be read: {getattr(error, 'strerror', None) or error or 'too little memory'}")


def _size(n_bytes: int) -> str:
    return f"{n_bytes // 1024**2} MiB" if n_bytes >= 1024**2 else f"{n_bytes // 1024} KiB"

"""Files that may be absent, damaged or impossible to write."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qsynth.errors import FileError
from qsynth.files.json_text import read_json

_CANT_WRITE = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE),
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EFBIG, errno.ENAMETOOLONG),
    }
)


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; empty when the file is absent, unreadable or holds anything else."""
    try:
        content = read_json(path)
    except FileError:
        return {}
    return content if isinstance(content, dict) else {}


class FolderError(FileError):
    """A folder can't be written any more."""


def cant_write(error: OSError) -> bool:
    """Whether this is the disk's or the folder's doing, and nobody's mistake in a program."""
    return error.errno in _CANT_WRITE


@contextmanager
def writing_below(folder: Path, further: str = "") -> Iterator[None]:
    """Say in one line that a folder can't be written, where that ends what is done in the block.

    Args:
        further: what to do then.

    Raises:
        FolderError: it can't be, e.g. as the disk is full, or read-only by now.
    """
    try:
        yield
    except OSError as error:
        named = [os.fsdecode(each) for each in (error.filename, error.filename2) if isinstance(each, str | bytes)]
        root = os.path.abspath(folder)
        if not cant_write(error) or not all(os.path.abspath(each).startswith(root) for each in named):
            raise
        which = f" ({os.path.relpath(named[0], root)})" if named and os.path.abspath(named[0]) != root else ""
        after = f". {further}" if further else ""
        raise FolderError(f"{folder} must be writable: {error.strerror}{which}{after}") from None


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, before the work that makes it.

    Raises:
        QsynthError: it is a directory, or its directory is missing or can't be written.
    """
    folder = path.parent
    if os.path.isdir(path) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise FileError(f"{path} must be a file in a directory that can be written")


def check_outputs(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Find out whether files can be written, none over another or over one that is read.

    Raises:
        QsynthError: one can't be written, or a file is named twice.
    """
    outputs = list(written)
    for path in outputs:
        check_writable(path)
    named = [os.path.realpath(path) for path in (*outputs, *read)]
    if len(set(named)) < len(named):
        raise FileError(f"every file must be named once; got {', '.join(map(str, named))}")

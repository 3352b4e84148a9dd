"""Files that may be absent, damaged or impossible to write."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qsynth.errors import FileError
from qsynth.files.json_text import read_json


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``; empty when the file is absent, unreadable or holds anything else."""
    try:
        content = read_json(path)
    except FileError:
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


def check_outputs(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Find out whether files can be written, none over another or over one that is read.

    Raises:
        QsynthError: one can't be written, or a file is named twice.
    """
    outputs = list(written)
    for path in outputs:
        check_writable(path)
    named = [path.resolve() for path in (*outputs, *read)]
    if len(set(named)) < len(named):
        raise FileError(f"every file must be named once; got {', '.join(map(str, named))}")

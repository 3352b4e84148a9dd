"""The content of a table's file: regular, compressed, a pipe or standard input."""

import gzip
import io
import os
import stat
import sys
import time
import zlib
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from qsynth.errors import FileError

MAX_BYTES = 512 * 1024**2
CHUNK = 16 * 1024**2
PATIENCE = 10.0  # seconds for somebody to begin to write to a pipe
STANDARD_INPUT = "-"
TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".data")
PARQUET_ENDINGS = (".parquet", ".pq")


def ending(path: Path | str) -> str:
    """The lower-case ending without that of a compression."""
    name = Path(path).name.lower()
    return Path(name.removesuffix(".gz")).suffix


def file_bytes(path: Path | str) -> bytes:
    """All bytes, unpacked, at most 512 MiB.

    Raises:
        FileError: there is no such file, it can't be read, is too large, is a device, a pipe that nobody writes to, or
            has an ending of something else.
    """
    try:
        content = _read(path)
        return _unpacked(path, content) if content[:2] == b"\x1f\x8b" else content
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise FileError(f"{path} can't be unpacked: {error}") from None


def _read(path: Path | str) -> bytes:
    if str(path) == STANDARD_INPUT:
        return _capped(path, sys.stdin.buffer)
    path = Path(path)
    try:
        state = path.stat()
    except (OSError, ValueError):
        raise FileError(
            f"a table's path must be an existing file; got {str(path)!r}, which is {path.absolute()}"
        ) from None
    if stat.S_ISDIR(state.st_mode):
        raise FileError(f"a table's path must be a file; got the folder {str(path)!r}")
    if stat.S_ISREG(state.st_mode):
        if ending(path) not in (*TEXT_ENDINGS, *PARQUET_ENDINGS):
            raise FileError(
                f"a table's path must end in .csv, .tsv, .txt or .parquet, text also in .gz; got {str(path)!r}"
            )
        _check_size(path, state.st_size)
    if not (stat.S_ISREG(state.st_mode) or stat.S_ISFIFO(state.st_mode)):
        raise FileError(f"a table's path must be a file or a pipe; got a device, {str(path)!r}")
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        first = _first(path, file) if stat.S_ISFIFO(state.st_mode) else b""
        os.set_blocking(file.fileno(), True)
        return _capped(path, file, first)


def _first(path: Path, pipe: FileIO) -> bytes:
    """A pipe's first bytes, or none where its writer has not made any yet.

    Raises:
        FileError: nobody writes to it.
    """
    until = time.monotonic() + PATIENCE
    while True:
        content = pipe.read(1 << 16)
        if content is None:  # there is a writer, who may take as long as it takes
            return b""
        if content:
            return content
        if time.monotonic() > until:
            raise FileError(f"{path} must be written to by somebody; got nothing in {PATIENCE:g} s")
        time.sleep(0.02)


def _unpacked(path: Path | str, content: bytes) -> bytes:
    with gzip.open(io.BytesIO(content)) as file:
        return _capped(path, file)


def _capped(path: Path | str, file: BinaryIO | FileIO | gzip.GzipFile, first: bytes = b"") -> bytes:
    parts = [first]
    while sum(map(len, parts)) <= MAX_BYTES and (part := file.read(CHUNK)):
        parts.append(part)
    content = b"".join(parts)[: MAX_BYTES + 1]
    _check_size(path, len(content))
    return content


def _check_size(path: Path | str, n_bytes: int) -> None:
    if n_bytes > MAX_BYTES:
        size = f"{n_bytes / 1024**2:.0f}" if n_bytes > MAX_BYTES + 1 else "more"
        raise FileError(f"{path} must be at most {MAX_BYTES // 1024**2} MiB; got {size}. Use fewer rows.")

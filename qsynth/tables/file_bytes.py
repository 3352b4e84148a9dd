"""The content of a table's file: regular, compressed, a pipe or standard input."""

import gzip
import io
import stat
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from qsynth.errors import FileError

MAX_BYTES = 512 * 1024**2
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
        FileError: there is no such file, it can't be read, is too large, or has an ending of something else.
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
    with path.open("rb") as file:
        return _capped(path, file)


def _unpacked(path: Path | str, content: bytes) -> bytes:
    with gzip.open(io.BytesIO(content)) as file:
        return _capped(path, file)


def _capped(path: Path | str, file: BinaryIO | gzip.GzipFile) -> bytes:
    content = file.read(MAX_BYTES + 1)
    _check_size(path, len(content))
    return content


def _check_size(path: Path | str, n_bytes: int) -> None:
    if n_bytes > MAX_BYTES:
        size = f"{n_bytes / 1024**2:.0f}" if n_bytes > MAX_BYTES + 1 else "more"
        raise FileError(f"{path} must be at most {MAX_BYTES // 1024**2} MiB; got {size}. Use fewer rows.")

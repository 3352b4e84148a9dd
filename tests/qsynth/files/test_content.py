"""Files are read whole and without waiting, or refused in one line."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from qsynth.errors import FileError
from qsynth.files.content import read_content, read_text


def listened_to(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "must be a file; got a pipe or a device"),
        (Path.mkdir, "must be a file; got a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "must be a file; got a pipe or a device"),
        (lambda path: path.symlink_to(path), "can't be read: Too many levels of symbolic links"),
        (lambda path: path.symlink_to("nothing"), "can't be read: No such file"),
        (lambda path: None, "can't be read: No such file"),
    ],
)
@pytest.mark.timeout(10)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "x")
    with pytest.raises(FileError, match=message):
        read_content(tmp_path / "x")


def test_a_name_that_no_file_has(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\\x00b can't be read: embedded null byte"):
        read_content(tmp_path / "a\0b")


def test_size_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345678" * 256)
    assert len(read_content(tmp_path / "x", most=2048)) == 2048
    with pytest.raises(FileError, match="x must be at most 1 KiB; got 2048 bytes"):
        read_content(tmp_path / "x", most=2047)
    with (tmp_path / "x").open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no disk
    with pytest.raises(FileError, match=f"x must be at most 512 MiB; got {1 << 40} bytes"):
        read_content(tmp_path / "x")


def test_text_is_utf8(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("né".encode())
    assert read_text(tmp_path / "x") == "né"
    (tmp_path / "x").write_bytes("né".encode("latin-1"))
    with pytest.raises(FileError, match="x can't be read: not UTF-8 text"):
        read_text(tmp_path / "x")

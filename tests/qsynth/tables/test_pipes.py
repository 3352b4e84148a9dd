"""A pipe is read as its writer writes, however slowly; one that nobody writes to is not waited for."""

import os
import threading
import time
from pathlib import Path

import pytest

from qsynth.errors import FileError
from qsynth.tables import file_bytes

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_bytes, "PATIENCE", 0.5)
    os.mkfifo(tmp_path / "rows.csv")
    return tmp_path / "rows.csv"


def test_nobody_writes(pipe: Path) -> None:
    with pytest.raises(FileError, match=r"rows\.csv must be written to by somebody; got nothing in 0\.5 s"):
        file_bytes.file_bytes(pipe)


@pytest.mark.parametrize("late", [0.0, 0.2])
def test_a_slow_writer_is_waited_for(pipe: Path, late: float) -> None:
    def write() -> None:
        time.sleep(late)
        with pipe.open("wb", buffering=0) as file:
            time.sleep(1.0)  # longer than anybody waits for a writer
            for part in (b"a,b\n", b"1,2\n" * 50_000):
                file.write(part)
                time.sleep(0.2)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert file_bytes.file_bytes(pipe) == b"a,b\n" + b"1,2\n" * 50_000
    finally:
        writer.join()


def test_a_pipe_that_was_filled_before(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\n1\n")
    os.close(writing)
    try:
        assert file_bytes.file_bytes(f"/dev/fd/{reading}") == b"a\n1\n"
    finally:
        os.close(reading)


def test_a_device_is_no_table() -> None:
    with pytest.raises(FileError, match="must be a file or a pipe; got a device, '/dev/zero'"):
        file_bytes.file_bytes("/dev/zero")

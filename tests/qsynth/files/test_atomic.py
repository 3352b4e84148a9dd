"""Files that are whole, whoever writes them and whatever goes wrong."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from cluster.results.figure import new_figure, save_figure
from qsynth.data.dataset import Instance
from qsynth.data.sources import write_rows
from qsynth.data.tabular import TableData
from qsynth.errors import QsynthError
from qsynth.execution.inductor import compile_function
from qsynth.files.atomic import atomic_copy, atomic_file, atomic_write_bytes, atomic_write_json, atomic_write_text
from qsynth.files.tensor_file import TensorFile
from rl_envs.replay import ScheduleFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("old")
    return path


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def as_before(path: Path) -> bool:
    """Whether a file is as :func:`file` made it, and nothing else is in its folder."""
    return path.read_text() == "old" and list(path.parent.iterdir()) == [path]


def test_what_was_written_is_there(file: Path) -> None:
    atomic_write_text(file, "grün\n")
    assert file.read_bytes() == "grün\n".encode()
    atomic_write_json(file, {"a": 1})
    assert file.read_text() == '{\n  "a": 1\n}\n'
    atomic_copy(file, file.with_name("copy"))
    assert file.with_name("copy").read_text() == file.read_text()
    assert len(list(file.parent.iterdir())) == 2


def test_a_writer_that_fails_midway_leaves_the_old_file(file: Path) -> None:
    def fails_midway() -> None:
        with atomic_file(file) as new:
            new.write(b"half")
            new.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_midway()
    assert as_before(file)
    with pytest.raises(UnicodeEncodeError):
        atomic_write_text(file, "new \ud800")
    with pytest.raises(TypeError):
        atomic_write_json(file, {1j: 2})
    with pytest.raises(FileNotFoundError):
        atomic_copy(file.with_name("absent"), file)
    assert as_before(file)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[step], full)
    with pytest.raises(OSError, match="No space left"):
        atomic_write_text(file, "new")
    monkeypatch.undo()
    assert as_before(file)


def test_a_process_that_is_killed_leaves_the_old_file(file: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from qsynth.files.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as file:\n    file.write(b'half'); file.flush(); os._exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(file)], check=False).returncode == 1
    assert file.read_text() == "old"


def test_two_writers_at_once_do_not_mix(file: Path) -> None:
    with atomic_file(file) as one:
        one.write(b"one" * 1000)
        with atomic_file(file) as other:
            other.write(b"other")
        assert file.read_text() == "other"
        one.write(b"!")
    assert file.read_text() == "one" * 1000 + "!"
    assert list(file.parent.iterdir()) == [file]


def test_permissions_obey_the_umask(tmp_path: Path, umask: int) -> None:
    atomic_write_bytes(tmp_path / "open", b"")
    with atomic_file(tmp_path / "own", mode=0o600):
        pass
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("open", "own")]
    assert modes == [0o666 & ~umask, 0o600]


INSTANCE = TableData(name="iris").instance(0, held_out=False)


def rows_of(instance: Instance, path: Path) -> None:
    write_rows(path, np.zeros((3, 4)), np.zeros(3, dtype=np.int64), instance)


WRITERS: dict[str, Callable[[Path], object]] = {
    "tensors": lambda path: TensorFile("a", "a file").write(path, {"x": torch.zeros(2)}, {}),
    "rows": lambda path: rows_of(INSTANCE, path),
    "schedule": lambda path: ScheduleFile(hyperparameters={"lr_critic": (0.1,)}).write(path),
    "figure": lambda path: save_figure(new_figure(1, 1), path),
    "machine code": lambda path: compile_function(lambda x: (x + 1,), [torch.ones(2)], path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_leaves_the_old_file_when_the_disk_is_full(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises((OSError, QsynthError), match="No space left"):
        WRITERS[name](file)
    monkeypatch.undo()
    assert as_before(file)
    WRITERS[name](file)
    assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() != b"old"

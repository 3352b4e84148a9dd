"""Study files that are none, and what is said of them."""

import os
from pathlib import Path
from typing import Any

import pytest

from qsynth.errors import QsynthError
from qsynth.files.yaml_file import MAX_STUDY_BYTES, read_yaml


def read(folder: Path, content: str | bytes) -> dict[str, Any]:
    path = folder / "study.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_yaml(path)


def test_yaml_is_read(tmp_path: Path) -> None:
    content = "n_qubits: 2\nscore: {fidelity: 0.5}\nname: Überlagerung\n"
    assert read(tmp_path, content) == {"n_qubits": 2, "score": {"fidelity": 0.5}, "name": "Überlagerung"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases are not allowed"),
        ("a: 1\n" + "#" * MAX_STUDY_BYTES, "must be at most 256 KiB; got"),
        ("- 1\n- 2\n", "must hold a mapping of settings; got list"),
        ("", "must hold a mapping of settings; got NoneType"),
        ("a: [1\nb: 2", "must be YAML"),
        ("a: !!map [1]\n", "must be YAML: expected a mapping node"),
        ("a: {b: 1, c: 2, b: 3}\n", "must be YAML: key 'b' is given twice, line 1 on"),
        ("a: !!python/object/apply:os.getcwd []", "must be YAML"),
        ("a: 2024-13-45", "must be YAML: month must be in 1..12"),
        ("a: " + "9" * 5000, "must be YAML"),
        ("[" * 20_000, "must be YAML: nested too deeply"),
        ("a: " + "[" * 100 + "]" * 100, "must be YAML: nested too deeply"),
        ("trials: 1" + "0" * 320, "must be YAML: whole numbers must be within +-2^64, line 1"),
        ("a: !!int x", "must be YAML"),
        (b"a: \xff\xfe", "can't be read: not UTF-8 text"),
    ],
)
def test_what_is_no_study_is_refused_in_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(QsynthError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "study.yaml") in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(QsynthError, match="can't be read: No such file"):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(QsynthError, match="must be a file; got a folder"):
        read_yaml(tmp_path)


def test_the_largest_allowed_file_is_read(tmp_path: Path) -> None:
    content = "a: 1\n#"
    assert read(tmp_path, content + " " * (MAX_STUDY_BYTES - len(content))) == {"a": 1}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "study.yaml")
    with pytest.raises(QsynthError, match="must be a file; got a pipe or a device"):
        read_yaml(tmp_path / "study.yaml")

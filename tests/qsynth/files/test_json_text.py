"""JSON is bounded in depth and in whole numbers."""

from pathlib import Path

import pytest

from qsynth.errors import FileError
from qsynth.files.json_text import LARGEST, MOST_DEPTH, parse_json, read_json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "must be JSON: nested too deeply"),
        ('{"a":' * 200_000, "must be JSON: nested too deeply"),
        ("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1), "must be JSON: nested too deeply"),
        ("1" + "0" * 320, "must be JSON: whole numbers must be within"),
        ("1" + "0" * 5000, "must be JSON: whole numbers must be within"),
        (str(LARGEST + 1), "must be JSON: whole numbers must be within"),
        ("{", "must be JSON: Expecting property name"),
        (b'"\xff"', "must be JSON: 'utf-8' codec can't decode"),
        (b"", "must be JSON: Expecting value"),
    ],
    ids=range(9),
)
def test_what_is_none_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    with pytest.raises(FileError, match=f"x.json {message}") as refused:
        parse_json(text, "x.json")
    assert "\n" not in str(refused.value)


def test_limits_belong_to_what_is_read(tmp_path: Path) -> None:
    deep = "[" * MOST_DEPTH + "]" * MOST_DEPTH
    assert parse_json(deep, "x") is not None
    assert parse_json(f"[{LARGEST}, {-LARGEST}]", "x") == [LARGEST, -LARGEST]
    (tmp_path / "x.json").write_text('{"a": [1, 2.5, null]}')
    assert read_json(tmp_path / "x.json") == {"a": [1, 2.5, None]}

"""``qsynth check``."""

import json
from pathlib import Path

import pytest

from tests.cluster.cli.test_app import call, refused

ROWS = "row_id,price ($),[red]c{,group\n" + "".join(
    f"{100 + 3 * n},{n * 37 % 101}.5,{('RED', 'red')[n % 2]},{('a', '[b]x')[n // 30]}\n" for n in range(60)
)


def test_a_table_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    assert call(monkeypatch, "check", path, "--target", "group") == 0
    printed = capsys.readouterr().out
    assert "60 rows, 4 columns" in printed
    for cells in (
        ("row_id", "id", "made anew, not learned"),
        ("price ($)", "number", "numbers in 0.5 to 100.5", "learned as numbers"),
        ("[red]c{", "category", "one of RED, red", "learned as codes"),
        ("group", "category", "one of [b]x, a", "target: 2 classes"),
    ):
        assert any(all(cell in line for cell in cells) for line in printed.splitlines()), cells
    assert "warning: column '[red]c{' has 'RED' and 'red', which differ only in case or spaces" in printed


def test_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    assert call(monkeypatch, "check", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["target"], found["classes"]) == (60, None, ["all"])
    assert [column["kind"] for column in found["columns"]] == ["id", "number", "category", "category"]
    assert [remark["column"] for remark in found["remarks"]] == ["row_id", "[red]c{"]


def test_what_is_no_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    assert "Did you mean 'group'" in refused(monkeypatch, capsys, "check", path, "--target", "grup")
    assert "must be a file; got the folder" in refused(monkeypatch, capsys, "check", tmp_path)
    assert "existing file" in refused(monkeypatch, capsys, "check", tmp_path / "absent.csv")

import io
import sys

import pytest

import cluster.system.progress
from cluster.system.progress import StudyProgress


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cluster.system.progress, "monotonic", clock)
    return clock


def test_without_a_terminal_lines_are_ten_seconds_apart(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(enabled=True) as progress:
        stage = progress.stage("train [agent]", total=3_600)
        for second in range(35):
            stage.update(second * 100, iteration=second, score=0.41)
            clock.now += 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "train [agent]: 0%, 0/3,600  iteration 0  score 0.410",
        "train [agent]: 28%, 1,000/3,600  iteration 10  score 0.410  0:00:26 left",
        "train [agent]: 56%, 2,000/3,600  iteration 20  score 0.410  0:00:16 left",
        "train [agent]: 83%, 3,000/3,600  iteration 30  score 0.410  0:00:06 left",
    ]


def test_a_complete_stage_always_gets_its_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(enabled=True) as progress:
        for name in ("search constants", "train agent"):
            stage = progress.stage(name, total=2)
            clock.now += 3
            stage.update(2)
    assert capsys.readouterr().err.splitlines() == [
        "search constants: 100%, 2/2  took 0:00:03",
        "train agent: 100%, 2/2  took 0:00:03",
    ]


def test_time_left_counts_from_where_a_resumed_stage_began(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(enabled=True) as progress:
        stage = progress.stage("train agent", total=1_000)
        stage.update(800)
        clock.now += 20
        stage.update(810)
    assert capsys.readouterr().err.splitlines()[-1].endswith("0:06:20 left")


def test_disabled_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(enabled=False) as progress:
        progress.stage("train agent", total=1).update(1)
        progress.note("a checkpoint was written")
    assert capsys.readouterr() == ("", "")


def test_a_note_is_one_line_as_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    text = "MLflow at [red]http://127.0.0.1[/red] is away: " + "records wait in the journal, " * 6
    with StudyProgress(enabled=True) as progress:
        progress.note(text)
    assert capsys.readouterr() == ("", text + "\n")


def test_on_a_terminal_it_draws_bars_and_leaves_stdout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with StudyProgress(enabled=True) as progress:
        stage = progress.stage("train [agent]", total=200)
        stage.update(50, iteration=2, score=0.5)
        progress.note("kept [line]")
        print("a result")
    assert out.getvalue() == "a result\n"
    assert "\x1b[" in err.getvalue()  # a live display, redrawn in place
    for shown in ("train [agent]", "25 %", "50/200  iteration 2  score 0.500", "kept [line]"):
        assert shown in err.getvalue()


def test_the_terminal_is_restored_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        with StudyProgress(enabled=True) as progress:
            progress.stage("train agent", total=2).update(1)
            raise RuntimeError("boom")

    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert err.getvalue().rfind("\x1b[?25h") > err.getvalue().rfind("\x1b[?25l") >= 0  # the cursor is shown again

"""The journal loses nothing to kills and full disks, and has one writer."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from cluster.system.attempt_lock import LOCK_NAME
from cluster.tracking.journal import JOURNAL_NAME, OFFSET_NAME, Cursor, Journal
from cluster.tracking.record import Record
from qsynth.errors import QsynthError

ROOT = Path(__file__).parents[3]

WRITER = """
import sys
from pathlib import Path
from cluster.tracking.journal import Journal

journal = Journal(Path(sys.argv[1]))
while True:
    record = journal.append("metrics", {"text": "x" * 300})
    sys.stdout.write(f"{record.seq}\\n")
    sys.stdout.flush()
"""


def kill_while_writing(run_dir: Path, seconds: float) -> int:
    """Last sequence number that a writer had seen safely appended before SIGKILL hit it."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(run_dir)], cwd=ROOT, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    threading.Timer(seconds, writer.kill).start()
    acknowledged = (first + writer.stdout.read()).split(b"\n")[:-1]
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return int(acknowledged[-1])


def test_records_survive_in_order_over_attempts(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    for attempt in (1, 2):
        journal = Journal(tmp_path)
        assert journal.attempt_lock.attempt == attempt
        journal.append("metrics", {"step": attempt})
        journal.append("metrics", {"step": -attempt})
        journal.close()
        journal.close()
    records = Cursor(tmp_path, "s").read(100)
    assert [(r.seq, r.attempt, r.body["step"]) for r in records] == [(1, 1, 1), (2, 1, -1), (3, 2, 2), (4, 2, -2)]
    assert all(before <= r.time <= time.time_ns() // 1_000_000 for r in records)


def test_sigkill_loses_no_acknowledged_record(tmp_path: Path) -> None:
    acknowledged = [kill_while_writing(tmp_path, 0.1) for _ in range(3)]
    assert acknowledged == sorted(acknowledged)
    records = Cursor(tmp_path, "s").read(10**9)
    assert [r.seq for r in records] == list(range(1, len(records) + 1))  # none missing, none twice
    assert acknowledged[-1] <= len(records) <= acknowledged[-1] + 1
    assert sorted({r.attempt for r in records}) == [1, 2, 3]


def test_torn_last_line_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("metrics", {"step": 1})
    journal.close()
    path = tmp_path / JOURNAL_NAME
    path.write_bytes(path.read_bytes() + path.read_bytes()[:-5])
    assert [r.seq for r in Cursor(tmp_path, "s").read(9)] == [1]
    journal = Journal(tmp_path)
    journal.append("metrics", {"step": 2})
    journal.close()
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(9)] == [1, 2]


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(3):
        journal.append("metrics", {"step": step})
    journal.close()
    path = tmp_path / JOURNAL_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0" * 20 + b"\n" + lines[2])
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(9)] == [0, 2]


def test_a_second_live_writer_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(QsynthError, match="must have one writer"):
        Journal(tmp_path)
    result = subprocess.run([sys.executable, "-c", WRITER, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert "must have one writer" in result.stderr
    journal.close()
    Journal(tmp_path).close()


def test_an_older_attempt_is_refused_where_locks_do_not_reach(tmp_path: Path) -> None:
    old = Journal(tmp_path)
    old.append("metrics", {"step": 1})
    (tmp_path / LOCK_NAME).unlink()  # as if on another machine: the old lock is not seen
    new = Journal(tmp_path)
    assert new.attempt_lock.attempt > old.attempt_lock.attempt
    with pytest.raises(QsynthError, match="replaced"):
        old.append("metrics", {"step": 99})
    new.append("metrics", {"step": 2})
    late = {"seq": 2, "attempt": old.attempt_lock.attempt, "time": 1, "kind": "metrics", "body": {"step": 99}}
    with (tmp_path / JOURNAL_NAME).open("a") as file:  # checked just before the new attempt began, written after
        file.write(json.dumps(late) + "\n")
    new.append("metrics", {"step": 3})
    new.close()
    old.close()
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(9)] == [1, 2, 3]


def test_records_wait_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append("metrics", {"step": 0})
    real, room = os.write, [10]

    def full(descriptor: int, data: bytes) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        data, room[0] = data[: room[0]], 0
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    for step in (1, 2):
        journal.append("metrics", {"step": step})
    assert journal.unwritten == 2
    assert (tmp_path / JOURNAL_NAME).read_bytes().endswith(b"\n")
    monkeypatch.setattr(os, "write", real)
    journal.append("metrics", {"step": 3})
    assert journal.unwritten == 0
    journal.close()
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(9)] == [0, 1, 2, 3]


def test_a_clock_that_is_set_turns_no_times_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of the clock -> seconds of the records: back by an hour, then forward by two."""
    clock = [10_000.0, 10_001.0, 6_401.0, 6_403.0, 13_603.0]
    journal = Journal(tmp_path)
    for step, seconds in enumerate(clock):
        monkeypatch.setattr(time, "time_ns", lambda seconds=seconds: int(seconds * 1e9))
        journal.append("metrics", {"step": step})
    monkeypatch.undo()
    journal.close()
    times = [record.time / 1000 for record in Cursor(tmp_path, "s").read(9)]
    assert times == [10_000.0, 10_001.0, 10_001.0, 10_003.0, 17_203.0]


@pytest.mark.parametrize(("back", "first", "second"), [(3600, 200_000, 200_002), (-5, 200_005, 200_007)])
@pytest.mark.parametrize("wrong", [False, True])
def test_a_clock_that_is_set_between_two_attempts_turns_no_times_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: int, first: int, second: int, wrong: bool
) -> None:
    """But for a time that is days ahead, which nobody believes."""
    days = 5 * 24 * 3600 if wrong else 0
    clock = [200_000.0 + days]
    monkeypatch.setattr(time, "time_ns", lambda: int(clock[0] * 1e9))
    with closing(Journal(tmp_path)) as journal:
        journal.append("metrics", {"step": 0})
    clock[0] = 200_000.0 - back
    with closing(Journal(tmp_path)) as journal:
        journal.append("metrics", {"step": 0})
        clock[0] += 2
        journal.append("metrics", {"step": 0})
    monkeypatch.undo()
    times = [record.time // 1000 for record in Cursor(tmp_path, "s").read(9)]
    assert times[1:] == ([200_000 - back, 200_002 - back] if wrong else [first, second])


def test_append_never_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    threads: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda _: threads.append(threading.current_thread().name))
    end = time.monotonic() + 10
    while time.monotonic() < end and not threads:
        journal.append("metrics", {})
        time.sleep(0.001)
    assert threads == ["qsynth-journal"]
    journal.close()
    assert threads == ["qsynth-journal", threading.current_thread().name]


def test_cursor_goes_on_where_delivery_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(5):
        journal.append("metrics", {"step": step})
    cursor = Cursor(tmp_path, "s")
    cursor.read(2)
    assert cursor.advance()
    cursor.read(2)  # not delivered: comes again
    assert cursor.remaining() == 3
    again = Cursor(tmp_path, "s")
    assert [r.body["step"] for r in again.read(9)] == [2, 3, 4]
    assert again.advance()
    again.read(9)
    assert not again.advance()
    assert Cursor(tmp_path, "other store").remaining() == 5
    journal.close()


@pytest.mark.parametrize("content", ["", "{}", '{"store": "s", "offset": 7, "attempt": 1}', None])
def test_a_doubtful_offset_means_from_the_start(tmp_path: Path, content: str | None) -> None:
    journal = Journal(tmp_path)
    journal.append("metrics", {})
    journal.append("metrics", {})
    journal.close()
    size = (tmp_path / JOURNAL_NAME).stat().st_size  # the journal's tail was lost in a power cut, its offset was not
    beyond = json.dumps({"store": "s", "offset": size + 1, "attempt": 1})
    (tmp_path / OFFSET_NAME).write_text(beyond if content is None else content)
    assert Cursor(tmp_path, "s").remaining() == 2


@pytest.mark.parametrize(
    "line",
    [
        "[" * 200_000,
        "\n" * 50_000,
        '{"seq": 1, "attempt": 1, "time": 1, "kind": "tags", "body": []}',
        '{"seq": "1", "attempt": 1, "time": 1, "kind": "tags", "body": {}}',
        '{"seq": 1, "attempt": 1e300, "time": 1, "kind": "tags", "body": {}}',
        '{"seq": 1, "attempt": 1' + "0" * 320 + ', "time": 1, "kind": "tags", "body": {}}',
        '{"seq": true, "attempt": 1, "time": 1, "kind": "tags", "body": {}}',
        '{"seq": 1, "attempt": 1, "time": 1, "kind": 7, "body": {}, "more": 1}',
    ],
    ids=range(8),
)
@pytest.mark.timeout(30)
def test_a_forged_line_is_left_out(tmp_path: Path, line: str) -> None:
    journal = Journal(tmp_path)
    journal.append("metrics", {"step": 1})
    journal.close()
    with (tmp_path / JOURNAL_NAME).open("a") as file:
        file.write(line + "\n")
    journal = Journal(tmp_path)
    journal.append("metrics", {"step": 2})
    journal.close()
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(10**9)] == [1, 2]


def test_what_comes_after_a_line_that_claims_a_late_attempt_outranks_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(3):
        journal.append("metrics", {"step": step})
    journal.close()
    path = tmp_path / JOURNAL_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"attempt":1,', b'"attempt":70000,') + lines[2])
    again = Journal(tmp_path)
    assert again.attempt_lock.attempt == 70_001
    again.append("metrics", {"step": 3})
    again.close()
    assert [r.body["step"] for r in Cursor(tmp_path, "s").read(9)] == [0, 1, 3]


BODIES: dict[str, dict[str, object]] = {
    "start": {"trial": None, "params": {"lr": "0.1"}, "tags": {}},
    "metrics": {"trial": "t", "step": 3, "metrics": {"loss": 0.5}},
    "tags": {"trial": None, "tags": {"a": "b"}},
    "artifact": {"trial": None, "path": "report.html", "folder": "plots"},
    "note": {"trial": None, "markdown": "# done"},
    "model": {
        "trial": None,
        "path": "generator",
        "model": {"name": "m", "folder": "generator", "score": 0.5, "tags": {}, "description": "d"},
    },
    "end": {"trial": None, "status": "FINISHED"},
}


@pytest.mark.parametrize("kind", BODIES)
def test_only_whole_bodies_are_sent(kind: str) -> None:
    def sendable(**changes: object) -> bool:
        return Record(seq=1, attempt=1, time=1, kind=kind, body={**BODIES[kind], **changes}).sendable

    assert sendable()
    assert not sendable(trial="a'; drop")
    for name in set(BODIES[kind]) - {"trial"}:
        for bad in (None, [], 7.5, {"a": {}}, {"a'b": "c"}):
            assert not sendable(**{name: bad}), (name, bad)


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/secret", "a/../../b", "a\0b"])
def test_nothing_outside_the_run_directory_is_sent(path: str) -> None:
    for kind in ("artifact", "model"):
        assert not Record(seq=1, attempt=1, time=1, kind=kind, body=BODIES[kind] | {"path": path}).sendable
    assert not Record(seq=1, attempt=1, time=1, kind="artifact", body=BODIES["artifact"] | {"folder": path}).sendable

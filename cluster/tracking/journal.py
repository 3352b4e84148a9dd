"""What a study reported, kept in its run directory before anything is sent anywhere."""

import errno
import logging
import os
import re
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple, Self

from cluster.system.attempt_lock import AttemptLock
from cluster.system.files import read_json_object, writing_below
from cluster.tracking.record import Record, parse_line
from qsynth.files.atomic import atomic_write_json
from qsynth.files.content import check_regular, read_content

JOURNAL_NAME = "journal.jsonl"
OFFSET_NAME = "journal.offset.json"
FSYNC_SECONDS = 1.0
MOST_BYTES = 16 * 1024**3
MOST_BACK_MS = 24 * 3600 * 1000
DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE})

_ATTEMPT = re.compile(rb'"attempt":(\d{1,9}),')
logger = logging.getLogger(__name__)


class Journal:
    """The append-only ``journal.jsonl`` of one run directory, open for its only writer.

    A record is in the operating system's hands when ``append`` returns, so that a killed process loses nothing; a
    thread forces the file to the disk once a second, so that a power cut loses at most that. While the disk is full
    records wait in memory, in order. A last line that a kill tore is dropped on opening.
    """

    def __init__(self, run_dir: Path) -> None:
        """Open or create the journal as a new attempt.

        Raises:
            QsynthError: another live process writes it, the folder can't be written, or it is no file, or larger than
                16 GiB.
        """
        self._path = run_dir / JOURNAL_NAME
        with writing_below(run_dir):
            run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.attempt_lock = AttemptLock(run_dir, above=_WholePart.of(self._path).attempt)
            whole = _WholePart.of(self._path)
            self._seq = whole.seq
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.ftruncate(self._descriptor, whole.end)
        self._waiting: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._ahead_ms = 0
        # A clock that was set back since then; what is later still is a wrong time, and no reason to go on with it.
        self._last_ms = whole.time if whole.time < time.time_ns() // 1_000_000 + MOST_BACK_MS else 0
        self._dirty = False
        self._closing = threading.Event()
        self._fsyncs = threading.Thread(target=self._fsync_now_and_then, name="qsynth-journal", daemon=True)
        self._fsyncs.start()

    @property
    def unwritten(self) -> int:
        """Records that wait in memory for disk space."""
        return len(self._waiting)

    def append(self, kind: str, body: dict[str, Any], at: float | None = None) -> Record:
        """Add one record; it takes microseconds and never waits for the disk.

        Args:
            at: when what it says came about, in seconds since 1970; None: now.

        Raises:
            QsynthError: a newer attempt has begun, or the journal is closed.
            TypeError: ``body`` is not JSON.
        """
        with self._lock:
            self.attempt_lock.check()
            record = Record(
                seq=self._seq + 1,
                attempt=self.attempt_lock.attempt,
                time=self._now_ms() if at is None else round(1000 * at),
                kind=kind,
                body=body,
            )
            self._waiting.append(record.line())
            self._seq = record.seq
            self._drain()
        return record

    def close(self) -> None:
        """Force everything to the disk and let the next writer in; a second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._fsyncs.join()
        with self._lock:
            self._drain()
            self._fsync()
            os.close(self._descriptor)
            self.attempt_lock.release()
        if self._waiting:
            logger.error("%s can't be written, %d records could not be kept", self._path, len(self._waiting))

    def _now_ms(self) -> int:
        """The time of day, in milliseconds since 1970; where the clock is set back meanwhile, it goes on as before."""
        now = time.time_ns() // 1_000_000 + self._ahead_ms
        self._ahead_ms += max(0, self._last_ms - now)
        self._last_ms = max(now, self._last_ms)
        return self._last_ms

    def _drain(self) -> None:
        while self._waiting:
            line = self._waiting[0]
            written = 0
            try:
                written = os.write(self._descriptor, line)
            except OSError as error:
                if error.errno not in DISK_TROUBLE:
                    raise
            if written < len(line):
                if written:
                    os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
                return
            self._waiting.popleft()
            self._dirty = True

    def _fsync_now_and_then(self) -> None:
        while not self._closing.wait(FSYNC_SECONDS):
            if self._waiting:
                with self._lock:
                    self._drain()
            if self._dirty:
                self._fsync()

    def _fsync(self) -> None:
        self._dirty = False
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._dirty = True
            logger.warning("%s can't be forced to the disk: %s", self._path, error.strerror)


class _WholePart(NamedTuple):
    """What a journal holds up to its last whole line.

    Attributes:
        end: bytes up to there.
        seq, time: of the last record; 0 where there is none.
        attempt: the largest number of one. A damaged line may say that it is of any attempt: what is written from now
            on must outrank it.
    """

    end: int
    seq: int
    time: int
    attempt: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Of a journal, or of one that is not there yet."""
        content = read_content(path, MOST_BYTES) if path.exists() else b""
        end = stop = content.rfind(b"\n") + 1
        attempt = max(map(int, _ATTEMPT.findall(content)), default=0)
        while stop > 0:
            start = content.rfind(b"\n", 0, stop - 1) + 1
            if record := parse_line(content[start:stop]):
                return cls(end, record.seq, record.time, attempt)
            stop = start
        return cls(end, 0, 0, attempt)


class Cursor:
    """How far a journal was replayed to one tracking store; safe to use while the journal grows.

    The offset is written by rename after a batch was delivered, hence delivery is at least once. Where the offset file
    doesn't fit the journal or is about another store, the replay starts from the beginning: to send twice does no harm.
    """

    def __init__(self, run_dir: Path, store: str) -> None:
        """``store`` names the tracking store, without secrets: it is written to the offset file."""
        self._journal, self._file, self._store = run_dir / JOURNAL_NAME, run_dir / OFFSET_NAME, store
        self._offset = self._attempt = 0
        kept = read_json_object(self._file)
        offset, attempt = kept.get("offset"), kept.get("attempt")
        if kept.get("store") == store and isinstance(offset, int) and isinstance(attempt, int) and self._fits(offset):
            self._offset, self._attempt = offset, attempt
        self._read_to = (self._offset, self._attempt)

    def read(self, limit: int) -> list[Record]:
        """The next records, at most ``limit`` lines of them, in order.

        Lines that can't be read are left out, and so are those that an older attempt wrote after a newer one had begun.
        """
        records: list[Record] = []
        position, attempt = self._offset, self._attempt
        if self._journal.exists():
            with check_regular(self._journal).open("rb") as file:
                file.seek(position)
                for _ in range(limit):
                    line = file.readline()
                    if not line.endswith(b"\n"):
                        break
                    position += len(line)
                    record = parse_line(line)
                    if record and record.attempt >= attempt:
                        records.append(record)
                        attempt = record.attempt
        self._read_to = (position, attempt)
        return records

    def advance(self) -> bool:
        """Note that everything of the last ``read`` was delivered; False when it had found no new line.

        Raises:
            OSError: the offset file can't be written; the records will be sent again.
        """
        if self._read_to[0] == self._offset:
            return False
        position, attempt = self._read_to
        atomic_write_json(self._file, {"store": self._store, "offset": position, "attempt": attempt})
        self._offset, self._attempt = position, attempt
        return True

    def rewind(self) -> None:
        """Start over from the first record."""
        self._offset = self._attempt = 0
        self._read_to = (0, 0)

    def remaining(self) -> int:
        """Lines that were not delivered yet."""
        if not self._journal.exists():
            return 0
        with check_regular(self._journal).open("rb") as file:
            file.seek(self._offset)
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

    def _fits(self, offset: int) -> bool:
        if offset == 0:
            return True
        if not self._journal.is_file() or not 0 < offset <= self._journal.stat().st_size:
            return False
        with self._journal.open("rb") as file:
            file.seek(offset - 1)
            return file.read(1) == b"\n"

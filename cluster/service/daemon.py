"""Processes that outlive the one that starts them."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

import psutil

from qsynth.errors import QsynthError

PRIVATE_MASK = 0o077  # what daemons write, MLflow's store and the files of studies among it, is their owner's alone
BOOT = Path("/proc/sys/kernel/random/boot_id")
START_SECONDS, STOP_SECONDS, ORPHAN_SECONDS, KILL_SECONDS = 300.0, 30.0, 5.0, 5.0


class DaemonProcess(NamedTuple):
    """A process, and when it began, which tells it from a later one with the same id.

    Attributes:
        began: seconds, since that boot if it is known, else since 1970.
        boot: of the machine, its id; empty where it is unknown. The time of day won't do, as clocks are set: with it
            the beginning of a process seems to move.
    """

    pid: int
    began: float
    boot: str = ""

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has this id now.

        Raises:
            psutil.NoSuchProcess: none has.
        """
        with suppress(OSError):
            return cls(pid, _seconds_since_boot(pid), BOOT.read_text().strip())
        return cls(pid, psutil.Process(pid).create_time())

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        try:
            return self._has_its_id() and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def session(self) -> list[psutil.Process]:
        """What it has started that did not leave its session, though it may be dead itself."""
        try:
            if not self._has_its_id():
                return []
        except psutil.NoSuchProcess:  # no other one gets its id while there is anybody in the session
            if self.boot and self.boot != BOOT.read_text().strip():
                return []
        return list(_session(self.pid))

    def _has_its_id(self) -> bool:
        """Whether the process that has its id now is this one; it may be dead, and wait to be buried.

        Raises:
            psutil.NoSuchProcess: none has.
        """
        now = DaemonProcess.of(self.pid)
        if not self.boot:
            now = DaemonProcess(self.pid, psutil.Process(self.pid).create_time())
        return now.boot == self.boot and abs(now.began - self.began) < 1


def _seconds_since_boot(pid: int) -> float:
    """When a process began; the 22nd field of its ``stat``, whose second may hold blanks and brackets.

    Raises:
        OSError: there is no such process, or no such file system.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


class _Quiet(subprocess.Popen[bytes]):
    """Popen warns of processes that live on."""

    def __del__(self) -> None:
        return


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> DaemonProcess:
    """Start a process whose output goes to ``log``, in a session of its own."""
    with log.open("w") as file:
        process = _Quiet(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=log.parent,
            start_new_session=True,
            umask=PRIVATE_MASK,
        )
    return DaemonProcess.of(process.pid)


def wait_for(process: DaemonProcess, ready: Callable[[], bool], log: Path) -> None:
    """Wait until a process is ready.

    Raises:
        QsynthError: it ended, or five minutes did not do; the message has its last words.
    """
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if not process.lives or time.monotonic() > deadline:
            said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            words = said[-1].strip() if said else "it said nothing"
            raise QsynthError(f"{log.stem} did not come up ({words}); see {log}")
        time.sleep(0.3)


def end(processes: Iterable[DaemonProcess]) -> None:
    """Ask processes to end, and wait for all in their sessions; after half a minute, insist.

    What has a session of its own goes on, as do processes that the supervisor started.

    Ray's own order of ending takes seconds; if all were asked at once, some would wait half a minute for others. What
    is left of a session then, or of that of a process that had died before, has no order any more: after five seconds.
    """
    family: list[psutil.Process] = []
    asked = list(processes)
    for process in asked:
        if process.lives:
            with suppress(psutil.NoSuchProcess):
                leader = psutil.Process(process.pid)
                family += [leader, *process.session()]
                leader.terminate()
    _end(family, STOP_SECONDS)
    orphans = [each for process in asked for each in process.session()]
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.terminate()
    _end(orphans, ORPHAN_SECONDS)


def end_family(process: psutil.Process, seconds: float) -> None:
    """Ask a process to end; after ``seconds``, kill it and all that it started."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
        process.terminate()
    _end(family, seconds)


def _end(family: list[psutil.Process], seconds: float) -> None:
    for each in _left(family, seconds):
        with suppress(psutil.NoSuchProcess):
            each.kill()
    _left(family, KILL_SECONDS)


def _left(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Which processes have not ended within some seconds; one that waits to be buried has."""
    deadline = time.monotonic() + seconds
    while (left := [each for each in family if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _session(leader: int) -> Iterator[psutil.Process]:
    """The processes of a session but its leader."""
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if pid != leader and os.getsid(pid) == leader:
                yield psutil.Process(pid)

"""Processes that outlive the one that starts them."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from qsynth.errors import QsynthError

START_SECONDS, STOP_SECONDS = 300.0, 30.0


class DaemonProcess(NamedTuple):
    """A process, and when it began, which tells it from a later one with the same id."""

    pid: int
    began: float

    @property
    def lives(self) -> bool:
        """Whether it runs."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.began) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


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
        )
    return DaemonProcess(process.pid, psutil.Process(process.pid).create_time())


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
    """Ask processes to end, and wait for all that they started; after half a minute, insist.

    Ray's own order of ending takes seconds; if all were asked at once, some would wait half a minute for others.
    """
    family: list[psutil.Process] = []
    for process in processes:
        if process.lives:
            parent = psutil.Process(process.pid)
            family += [parent, *parent.children(recursive=True)]
            with suppress(psutil.NoSuchProcess):
                parent.terminate()
    _, left = psutil.wait_procs(family, timeout=STOP_SECONDS)
    for each in left:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(left, timeout=5)

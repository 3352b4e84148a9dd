"""The processes that run studies as jobs of the service's Ray on this machine, and what a dead Ray has left of them."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.service.daemon import end, end_family
from cluster.service.service import RAY, Service
from cluster.system.environment import RAY_JOB

# For those of a Ray that has died: most notice at once, and one that was just joining it waits for ever.
LEFT_SECONDS = 10.0


def end_dead(service: Service, dead: Iterable[str]) -> None:
    """End what the processes of some roles, which have died, left behind: it may hold their ports."""
    roles = set(dead)
    end(process for role, process in service.processes.items() if role in roles)
    if RAY in roles:
        end_drivers(service.cluster, LEFT_SECONDS)


def end_drivers(cluster: str, seconds: float) -> None:
    """Ask all studies of a cluster that run here to end; after ``seconds``, insist."""
    left = list(_drivers(cluster))
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + seconds
    for process in left:
        end_family(process, max(0.0, deadline - time.monotonic()))


def _drivers(cluster: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            command = [Path(word).name for word in process.cmdline()[:3]]
            if process.pid == os.getpid() or "qsynth" not in command:
                continue
            environment = process.environ()
            if environment.get("RAY_ADDRESS") == cluster and RAY_JOB in environment:
                yield process

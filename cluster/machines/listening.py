"""Ports on which Ray and MLflow listen on this machine, as the system tells."""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

NAMES = ("raylet", "gcs_server", "ray::")  # what Ray's processes call themselves
PROGRAMS = frozenset({"ray", "mlflow", "qsynth"})  # run as a command, or out of a package


@dataclass(frozen=True, order=True)
class Listener:
    """A process that takes connections.

    Attributes:
        process: its name.
        host: the address it listens on.
    """

    process: str
    pid: int
    host: str
    port: int

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach it."""
        address = ipaddress.ip_address(self.host)
        inner = getattr(address, "ipv4_mapped", None) or address
        return not inner.is_loopback

    def describe(self) -> str:
        """For a table."""
        return f"{self.process} ({self.pid}) {self.host}:{self.port}"


def listeners(pids: Collection[int] = ()) -> list[Listener]:
    """What listens on this machine; processes of other users are left out.

    Args:
        pids: of the processes to look at; left out: all of Ray, MLflow and qsynth.
    """
    import psutil

    found = set()
    for process in psutil.process_iter():
        try:
            name = process.name()
            if not (process.pid in pids if pids else _is_ours(name, process.cmdline())):
                continue
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add(Listener(name, process.pid, connection.laddr.ip, connection.laddr.port))
        except psutil.Error:  # it ended, or is another user's
            continue
    return sorted(found)


def _is_ours(name: str, command: Sequence[str]) -> bool:
    """Whether a process is Ray's, MLflow's or qsynth's, by its name or by what it was started as."""
    if name.startswith(NAMES) or any(part.startswith(NAMES) for part in command[:1]):
        return True
    started = [Path(part) for part in command[:4]]
    modules = [after for flag, after in pairwise(command) if flag == "-m"]
    return any(
        path.name in PROGRAMS or ("site-packages" in path.parts and PROGRAMS & set(path.parts)) for path in started
    ) or any(module.partition(".")[0] in PROGRAMS for module in modules)

"""Ports on which Ray and MLflow listen on this machine, as the system tells."""

import ipaddress
from dataclasses import dataclass

OURS = ("ray", "gcs_server", "mlflow", "qsynth")


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


def listeners() -> list[Listener]:
    """Everything of Ray, MLflow and qsynth that listens here; processes of other users are left out."""
    import psutil

    found = set()
    for process in psutil.process_iter():
        try:
            name = process.name()
            if not any(word in part for part in (name, *process.cmdline()) for word in OURS):
                continue
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add(Listener(name, process.pid, connection.laddr.ip, connection.laddr.port))
        except psutil.Error:  # it ended, or is another user's
            continue
    return sorted(found)

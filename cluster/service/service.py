"""The service on one machine, as its file tells: what was started, how, and what of it lives."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from cluster.machines.driver_slot import SLOT
from cluster.service.daemon import DaemonProcess
from cluster.service.probes import LOOPBACK
from cluster.system.attempt_lock import take_lock
from cluster.system.home import home
from cluster.system.sqlite_file import sqlite_uri
from qsynth.errors import FileError, QsynthError
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json

PORTS = {"--port": 6379, "--dashboard-port": 8265, "--mlflow-port": 5000}
MLFLOW, RAY, SUPERVISOR = "mlflow", "ray", "supervisor"
LARGEST_PID = 2**31 - 1
CHANGE_SECONDS = 60.0  # that one command waits for another one, or for the supervisor


class Offer(NamedTuple):
    """What studies may use of a machine.

    Attributes:
        cpus: populations that may run there; None: one a CPU.
        qpus: how many trials may use its device at a time.
        drivers: how many studies may run at a time, whose drivers are there; 0 on a worker.
        memory: bytes for populations; None: what Ray finds.
    """

    cpus: int | None
    qpus: int
    drivers: int = 0
    memory: int | None = None

    def options(self) -> list[str]:
        """Of ``ray start``."""
        resources = {name: amount for name, amount in (("qpu", self.qpus), (SLOT, self.drivers)) if amount}
        limit = [] if self.cpus is None else [f"--num-cpus={self.cpus}"]
        room = [] if self.memory is None else [f"--memory={self.memory}"]
        return [f"--resources={json.dumps(resources)}", *limit, *room]


ALL = Offer(cpus=None, qpus=1)


@dataclass(frozen=True, kw_only=True)
class Service:
    """What was started on this machine.

    Attributes:
        processes: by their role.
        cluster: the address that workers join.
        host: this machine's address there.
        offer: what studies may use of this machine.
        dashboard: of the Jobs API too; None on a worker.
        tracking_uri: of the MLflow server; None on a worker.
        out: where runs are kept.
    """

    processes: dict[str, DaemonProcess]
    cluster: str
    host: str = LOOPBACK
    offer: Offer = ALL
    dashboard: str | None = None
    tracking_uri: str | None = None
    out: str | None = None

    @classmethod
    def load(cls) -> "Service | None":
        """The service that was started here, if any of its processes lives: a service is what is left of it."""
        service = cls.kept()
        return service if service and any(process.lives for process in service.processes.values()) else None

    @classmethod
    def kept(cls) -> "Service | None":
        """The service that was started here and not ended, whatever lives of it.

        Raises:
            FileError: its file holds something else.
        """
        file = home() / "service.json"
        return cls.of(read_json(file), file) if file.exists() else None

    @classmethod
    def of(cls, kept: object, file: Path) -> "Service":
        """The service that ``service.json`` tells of.

        Raises:
            FileError: it tells of something else.
        """
        try:
            service = TypeAdapter(cls).validate_python(kept)
        except ValidationError:
            service = None
        if service is None or not service.sensible:
            raise FileError(
                f"{file} must say what of the service runs here, and says something else; end Ray and MLflow by hand, "
                "if they run, and remove it"
            )
        return service

    @property
    def sensible(self) -> bool:
        """Whether this can be a service: numbers of processes, and addresses with a port."""
        addresses = [each for each in (self.cluster, self.dashboard, self.tracking_uri) if each is not None]
        ports = [each.rpartition(":")[2] for each in addresses]
        texts = "".join([*addresses, self.host, self.out or "", *self.processes])
        return (
            all(0 < process.pid <= LARGEST_PID for process in self.processes.values())
            and all(port.isascii() and port.isdigit() and len(port) <= 5 for port in ports)
            and texts.isprintable()
        )

    def keep(self) -> "Service":
        """Write ``service.json``."""
        atomic_write_json(home() / "service.json", asdict(self))
        return self

    @staticmethod
    def forget() -> None:
        """Remove ``service.json``."""
        (home() / "service.json").unlink(missing_ok=True)

    def having(self, started: dict[str, DaemonProcess]) -> "Service":
        """The same with some processes started anew."""
        return replace(self, processes=self.processes | started)

    @property
    def roles(self) -> tuple[str, ...]:
        """What has to run here, in the order of starting."""
        return (RAY, SUPERVISOR) if self.dashboard is None else (MLFLOW, RAY, SUPERVISOR)

    def lives(self, role: str) -> bool:
        """Whether the process of a role runs."""
        return role in self.processes and self.processes[role].lives

    @property
    def dead(self) -> list[str]:
        """Roles that have to run here and do not."""
        return [role for role in self.roles if not self.lives(role)]

    @property
    def records_uri(self) -> str | None:
        """Where what studies recorded can be read: of the MLflow server, or of its store while it does not run."""
        if self.lives(MLFLOW) or self.out is None:
            return self.tracking_uri
        return sqlite_uri(Path(self.out) / "mlflow.db")

    @property
    def token(self) -> Path:
        """The file with the token that Ray asks for."""
        return home() / "token"


def log_file(role: str) -> Path:
    """What a process of the service writes."""
    return home() / f"{role}.log"


@contextmanager
def changing() -> Iterator[None]:
    """While the block runs, nobody else starts or ends processes of the service.

    Raises:
        QsynthError: somebody else does, and did not finish for a minute.
    """
    home().mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + CHANGE_SECONDS
    while True:
        try:
            descriptor = take_lock(home() / "service.lock")
            break
        except QsynthError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
    try:
        yield
    finally:
        os.close(descriptor)

"""The service on one machine: a Ray head or worker, and an MLflow server, as processes that outlive the command."""

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cluster.machines.private_ray import LOOPBACK_ONLY, write_token
from cluster.service.daemon import DaemonProcess, end, start, wait_for
from cluster.system.environment import WORKER_ENVIRONMENT
from cluster.system.files import read_json_object
from cluster.system.sqlite_file import sqlite_uri
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_copy, atomic_write_json

HOME = "QSYNTH_HOME"
PORTS = {"--port": 6379, "--dashboard-port": 8265, "--mlflow-port": 5000}
LOOPBACK = "127.0.0.1"
# Ray's port for agents is fixed, so a second Ray on a machine would take no jobs; 0 takes any.
RAY_START = (
    *(sys.executable, "-c", "from ray.scripts.scripts import main; main()"),
    *("start", "--block", "--dashboard-agent-listen-port=0"),
)
# Ray's own settings, of every node: authenticated, a stopped job may take its time to write a checkpoint, a dead node
# is noticed in 9 s instead of 64, and a task that runs out of memory is not repeated for ever.
RAY_ENVIRONMENT = WORKER_ENVIRONMENT | {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_JOB_STOP_WAIT_TIME_S": "60",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_task_oom_retries": "1",
}


def home() -> Path:
    """Where the service keeps its token, state and logs: ``$QSYNTH_HOME``, or ``~/.qsynth``."""
    return Path(os.environ.get(HOME) or Path.home() / ".qsynth")


class Offer(NamedTuple):
    """What studies may use of a machine.

    Attributes:
        cpus: populations that may run there; None: one a CPU.
        qpus: how many trials may use its device at a time.
    """

    cpus: int | None
    qpus: int

    def options(self) -> list[str]:
        """Of ``ray start``."""
        limit = [] if self.cpus is None else [f"--num-cpus={self.cpus}"]
        return [f"--resources={json.dumps({'qpu': self.qpus} if self.qpus else {})}", *limit]


@dataclass(frozen=True, kw_only=True)
class Service:
    """What runs on this machine.

    Attributes:
        processes: by their role.
        dashboard: of the Jobs API too; None on a worker.
        tracking_uri: of the MLflow server; None on a worker.
        cluster: the address that workers join.
        out: where runs are kept.
    """

    processes: dict[str, DaemonProcess]
    cluster: str
    dashboard: str | None = None
    tracking_uri: str | None = None
    out: str | None = None

    @classmethod
    def load(cls) -> "Service | None":
        """The service that was started here, if all its processes live."""
        kept = read_json_object(home() / "service.json")
        if not kept:
            return None
        service = cls.of(kept)
        return service if all(process.lives for process in service.processes.values()) else None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Service":
        """The service that ``service.json`` tells of."""
        return cls(**kept | {"processes": {role: DaemonProcess(*which) for role, which in kept["processes"].items()}})

    @property
    def token(self) -> Path:
        """The file with the token that Ray asks for."""
        return home() / "token"


def start_head(out: Path, host: str, port: int, dashboard_port: int, mlflow_port: int, offer: Offer) -> Service:
    """Start a Ray head with dashboard and Jobs API, and an MLflow server; or find both running.

    Args:
        host: the address that workers of other machines join; loopback takes none. Dashboard and MLflow are on
            loopback in any case.
        offer: what studies may use of this machine.

    Raises:
        QsynthError: something else uses a port, or a process does not come up.
    """
    found = Service.load()
    if found is not None:
        return found
    for each in (port, dashboard_port, mlflow_port):
        _check_free(each)
    token = _token()
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    dashboard, tracking_uri = f"http://{LOOPBACK}:{dashboard_port}", f"http://{LOOPBACK}:{mlflow_port}"
    started: dict[str, DaemonProcess] = {}
    try:
        started["mlflow"] = start(
            [
                *(
                    sys.executable,
                    "-m",
                    "mlflow",
                    "server",
                    "--workers=1",
                    f"--host={LOOPBACK}",
                    f"--port={mlflow_port}",
                ),
                f"--backend-store-uri={sqlite_uri(out / 'mlflow.db')}",
                f"--artifacts-destination={out / 'mlartifacts'}",
                "--serve-artifacts",
            ],
            {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
            _log("mlflow"),
        )
        started["ray"] = start(
            [
                *(*RAY_START, "--head", f"--node-ip-address={host}", f"--port={port}"),
                *(f"--dashboard-host={LOOPBACK}", f"--dashboard-port={dashboard_port}", *offer.options()),
            ],
            _ray_environment(host, token) | {"QSYNTH_OUT": str(out), "MLFLOW_TRACKING_URI": tracking_uri},
            _log("ray"),
        )
        wait_for(started["ray"], lambda: _answers(f"{dashboard}/api/version", token), _log("ray"))
        wait_for(started["mlflow"], lambda: _answers(f"{tracking_uri}/health"), _log("mlflow"))
    except BaseException:
        end(started.values())
        raise
    return _kept(
        Service(
            processes=started, cluster=f"{host}:{port}", dashboard=dashboard, tracking_uri=tracking_uri, out=str(out)
        )
    )


def join(address: str, token: Path | None, offer: Offer) -> Service:
    """Start a Ray worker that joins the head at ``address`` (HOST:PORT), or find it running.

    Args:
        token: a copy of the head's token; left out: this machine's own.
        offer: what studies may use of this machine.

    Raises:
        QsynthError: no token, or the head does not take the worker.
    """
    found = Service.load()
    if found is not None:
        return found
    if token is not None:
        _check_token(token)
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        if token.absolute() != home() / "token":
            atomic_copy(token, home() / "token", mode=0o600)
    elif not (home() / "token").is_file():
        raise QsynthError("--join needs --token FILE: a copy of the head's token (`qsynth up` says where it is)")
    own = _own_address(address)
    command = [*RAY_START, f"--address={address}", f"--node-ip-address={own}", *offer.options()]
    started = {"ray": start(command, _ray_environment(own, home() / "token"), _log("ray"))}
    try:
        wait_for(started["ray"], lambda: "Ray runtime started" in _log("ray").read_text(), _log("ray"))
    except BaseException:
        end(started.values())
        raise
    return _kept(Service(processes=started, cluster=address))


def faults() -> list[str]:
    """What would keep the service from starting at its usual ports, or keeps it from answering; and the remedy."""
    found = []
    try:
        if (home() / "token").exists():
            _check_token(home() / "token")
    except QsynthError as error:
        found.append(str(error))
    service = Service.load()
    if service is None:
        kept = read_json_object(home() / "service.json")
        if kept:
            found.append("some processes of the service have died; do: qsynth down, then qsynth up")
        for option, port in PORTS.items():
            try:
                _check_free(port)
            except QsynthError:
                found.append(f"port {port} is in use by something else; choose another one: qsynth up {option} PORT")
        return found
    for what, url, token in (
        ("the dashboard", service.dashboard and f"{service.dashboard}/api/version", service.token),
        ("MLflow", service.tracking_uri and f"{service.tracking_uri}/health", None),
    ):
        if url and not _answers(url, token):
            found.append(f"{what} does not answer at {url}; see {home()}")
    return found


def stop() -> bool:
    """End the processes that were started here; whether there were any."""
    kept = read_json_object(home() / "service.json")
    if not kept:
        return False
    running = [process for process in Service.of(kept).processes.values() if process.lives]
    end(running)
    (home() / "service.json").unlink(missing_ok=True)
    return bool(running)


def _kept(service: Service) -> Service:
    atomic_write_json(home() / "service.json", asdict(service))
    return service


def _log(role: str) -> Path:
    return home() / f"{role}.log"


def _ray_environment(host: str, token: Path) -> dict[str, str]:
    # With 0, Ray binds to loopback alone whatever it is told; other machines can't join then.
    alone = LOOPBACK_ONLY if host == LOOPBACK else {}
    # Jobs call the qsynth that is beside this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return RAY_ENVIRONMENT | alone | {"RAY_AUTH_TOKEN_PATH": str(token), "PATH": path}


def _token() -> Path:
    """The token's file, made with mode 0600 when there is none."""
    home().mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home() / "token"
    if not path.is_file():
        write_token(path)
    _check_token(path)
    return path


def _check_token(path: Path) -> None:
    try:
        mode, text = path.stat().st_mode, path.read_text().strip()
    except OSError as error:
        raise QsynthError(f"the token file {path} can't be read: {error.strerror}") from None
    if mode & 0o077:
        raise QsynthError(f"the token file {path} must be its owner's alone; do: chmod 600 {path}")
    if not text:
        raise QsynthError(f"the token file {path} must not be empty")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise QsynthError(f"port {port} must be free; something else uses it. Choose another one") from None


def _own_address(head: str) -> str:
    """This machine's address as the head sees it."""
    host, _, port = head.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            return str(connection.getsockname()[0])
    except (OSError, OverflowError, ValueError) as error:
        raise QsynthError(f"no Ray head answers at {head!r} ({error}); --join takes HOST:PORT") from None


def _answers(url: str, token: Path | None = None) -> bool:
    import urllib.request

    request = urllib.request.Request(url)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token.read_text().strip()}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False

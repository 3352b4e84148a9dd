"""A service for tests, and a user's shell beside it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.system.home import HOME

CANARY = "canary-5b1d9c"
PROXY = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}  # nobody is there


def free_ports(count: int) -> list[int]:
    """Ports that nothing uses just now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Running:
    """The service in a folder of its own; it has a secret in its environment, and a proxy that leads nowhere.

    Attributes:
        up: what ``qsynth up --json`` printed.
    """

    up: dict[str, Any]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_"))}
        self.environment = kept | {HOME: str(folder / "home"), "VENDOR_TOKEN": CANARY} | PROXY

    def qsynth(self, *arguments: object, fails: bool = False) -> str:
        """Standard output of a command, or the one line of a refused one."""
        command = [sys.executable, "-c", "from cluster.cli.app import main; main()", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == (2 if fails else 0), done.stderr
        return done.stderr.strip() if fails else done.stdout

    def json(self, *arguments: object) -> Any:
        """What a command prints with ``--json``."""
        return json.loads(self.qsynth(*arguments, "--json"))

    def wait(self, run: str, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The status of a run, once it is ready."""
        deadline = time.monotonic() + 480
        while not ready(found := self.json("status", run)):
            assert time.monotonic() < deadline, found
            time.sleep(4)
        return dict(found)

    def start(self) -> None:
        """``qsynth up`` at ports that are free."""
        port, dashboard, mlflow = free_ports(3)
        ports = "--port", port, "--dashboard-port", dashboard, "--mlflow-port", mlflow
        self.up = self.json("up", *ports, "--cpus", 2, "--out", "runs")

    def tracking(self) -> Any:
        """MLflow's client of the service, which has logged in."""
        from mlflow.tracking import MlflowClient

        os.environ["MLFLOW_TRACKING_TOKEN"] = Path(self.up["token"]).read_text().strip()
        return MlflowClient(self.up["tracking_uri"])

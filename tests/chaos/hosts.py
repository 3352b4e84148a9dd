"""Several hosts on one machine: network, process and mount namespaces on a virtual switch. Needs root and iproute2."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

QSYNTH = [sys.executable, "-W", "ignore", "-c", "from cluster.cli.app import main; main()"]
UP_SECONDS, COMMAND_SECONDS = 30.0, 600.0


def missing() -> str | None:
    """Why there can't be hosts here; None if there can."""
    if os.geteuid() != 0:
        return "hosts are namespaces, which root makes"
    tools = [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]
    return f"hosts need {', '.join(tools)}" if tools else None


def ip(*arguments: str) -> None:
    """iproute2."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Host:
    """A namespace that behaves like a machine of its own, but for its files, which all hosts share; only the memory of
    ``/dev/shm`` is its own."""

    def __init__(self, switch: str, number: int, folder: Path) -> None:
        self.space, self.address, self._switch = f"{switch}-{number}", f"10.77.0.{number}", switch
        self.folder, self._port = folder / f"host-{number}", f"p{number}"
        self.folder.mkdir()
        ip("netns", "add", self.space)
        self._power: subprocess.Popen[bytes] | None = None
        try:
            ip("link", "add", "eth0", "netns", self.space, "type", "veth", "peer", "name", self._port, "netns", switch)
            ip("-n", switch, "link", "set", self._port, "master", "br0", "up")
            ip("-n", self.space, "link", "set", "lo", "up")
            ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
            ip("-n", self.space, "link", "set", "eth0", "up")
            self._first = self._boot()
        except BaseException:
            self.remove()
            raise

    def _boot(self) -> int:
        code = f"set -e; mount -t tmpfs -o size=2g tmpfs /dev/shm; touch '{self.folder}/up'; exec sleep infinity"
        enter = ["ip", "netns", "exec", self.space, "unshare", "-m", "-p", "-f", "--kill-child=KILL", "--mount-proc"]
        self._power = subprocess.Popen([*enter, "sh", "-c", code])
        deadline = time.monotonic() + UP_SECONDS
        while not (self.folder / "up").exists() or not psutil.Process(self._power.pid).children():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return psutil.Process(self._power.pid).children()[0].pid

    def start(self, *command: object, **environment: str) -> "subprocess.Popen[str]":
        """A command on this host."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_"))}
        return subprocess.Popen(
            ["nsenter", f"--target={self._first}", "-n", "-m", "-p", *map(str, command)],
            env=kept | {"QSYNTH_HOME": str(self.folder / "home")} | environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: object) -> Any:
        """What a ``qsynth`` command prints with ``--json``."""
        process = self.start(*QSYNTH, *arguments, "--json")
        output, errors = process.communicate(timeout=COMMAND_SECONDS)
        assert process.returncode == 0, (arguments, errors)
        return json.loads(output)

    def processes(self, named: str) -> list[psutil.Process]:
        """Those on this host whose command line begins so."""
        here = os.readlink(f"/proc/{self._first}/ns/net")
        found = []
        for process in psutil.process_iter():
            try:
                if os.readlink(f"/proc/{process.pid}/ns/net") == here:
                    found += [process] if " ".join(process.cmdline()).startswith(named) else []
            except (OSError, psutil.Error):
                continue
        return found

    def plug(self, *, connected: bool) -> None:
        """Take the cable out, or put it back."""
        ip("-n", self._switch, "link", "set", self._port, "up" if connected else "down")

    def remove(self) -> None:
        """Switch it off, without notice, and take it off the machine."""
        if self._power is not None and self._power.poll() is None:
            self._power.send_signal(signal.SIGKILL)
            self._power.wait()
        subprocess.run(["ip", "netns", "delete", self.space], capture_output=True, check=False)


class Network:
    """A switch, and hosts on it; as a context, it leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._switch = folder, f"chaos-{os.getpid()}"
        self._hosts: list[Host] = []

    def __enter__(self) -> "Network":
        ip("netns", "add", self._switch)
        ip("-n", self._switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self._switch, "link", "set", "br0", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self._hosts:
            host.remove()
        subprocess.run(["ip", "netns", "delete", self._switch], capture_output=True, check=False)

    def host(self) -> Host:
        """One more."""
        self._hosts.append(Host(self._switch, len(self._hosts) + 1, self._folder))
        return self._hosts[-1]


def until(condition: Callable[[], object], seconds: float) -> float:
    """Wait until something is so; seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.5)
    return time.monotonic() - began

"""The Ray that commands start inside their process: nobody else may reach it."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster.machines.listening import Listener, _is_ours, listeners
from cluster.machines.private_ray import private_ray

ASK = "from ray._raylet import GcsClient; print(GcsClient('{}').internal_kv_keys(b'', None, timeout=30))"


def own_listeners(process: psutil.Process) -> list[Listener]:
    """What a process and those that it started listen on."""
    return listeners({process.pid, *(child.pid for child in process.children(recursive=True))})


def outer_addresses() -> list[str]:
    """This machine's addresses as other machines know them."""
    found = [each.address for addresses in psutil.net_if_addrs().values() for each in addresses if each.family == 2]
    return [address for address in found if not address.startswith("127.")]


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def assert_private(process: psutil.Process) -> None:
    """Ray runs below the process, and nothing of it can be reached from outside."""
    found = own_listeners(process)
    assert {each.process for each in found} >= {"raylet", "gcs_server"}
    assert [each.describe() for each in found if each.exposed] == []
    assert all(answers("127.0.0.1", each.port) for each in found if each.process == "gcs_server")
    reached = [each.describe() for host in outer_addresses() for each in found if answers(host, each.port)]
    assert reached == []


def asked(address: str, shown: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """What Ray's control service answers to a process that shows it this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-c", ASK.format(address)]
    return subprocess.run(command, env=kept | shown, capture_output=True, text=True, timeout=120)


def test_nobody_else_reaches_it() -> None:
    import ray  # long before, as in somebody's notebook
    from ray._private import ray_constants

    names = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
    before = [os.environ.get(name) for name in names], ray_constants.ENABLE_RAY_CLUSTER
    with private_ray(num_cpus=1):
        address = str(ray.get_runtime_context().gcs_address)
        assert address.startswith("127.0.0.1:")
        assert_private(psutil.Process())

        token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
        assert len(token.read_text()) == 64
        for shown in ({"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f" * 64}):
            refused = asked(address, shown)
            assert refused.returncode == 1
            assert "RAY_AUTH_TOKEN" in refused.stderr or "token" in refused.stderr
        taken = asked(address, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)})
        assert taken.returncode == 0, taken.stderr
    assert ([os.environ.get(name) for name in names], ray_constants.ENABLE_RAY_CLUSTER) == before
    assert not token.exists()


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.1.2.3", True),
    ],
)
def test_an_address_is_exposed_or_not(host: str, exposed: bool) -> None:
    assert Listener("raylet", 1, host, 1).exposed is exposed


@pytest.mark.parametrize(
    ("name", "command", "ours"),
    [
        ("raylet", ["/x/ray/core/src/ray/raylet/raylet"], True),
        ("ray::IDLE", ["ray::IDLE", "", ""], True),
        ("python", ["/usr/bin/python", "-u", "/x/site-packages/ray/dashboard/agent.py"], True),
        ("python", ["/x/bin/python", "-m", "mlflow", "server"], True),
        ("qsynth", ["/x/bin/python", "/x/bin/qsynth", "tune", "gaussian"], True),
        ("python", ["/x/bin/python", "/home/murray/array.py"], False),
        ("jupyter-lab", ["/x/bin/python", "/x/bin/jupyter-lab", "/home/me/qsynth-notes"], False),
    ],
)
def test_whose_a_process_is(name: str, command: list[str], ours: bool) -> None:
    assert _is_ours(name, command) is ours

"""Studies small enough to run in a test."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.running import Running

ROOT = Path(__file__).parents[2]
TINY: dict[str, Any] = {
    "name": "tiny",
    "data": {"kind": "table", "name": "iris", "n_features": 2, "n_train": 24},
    "trial": {
        "n_qubits": 3,
        "capacity": {"latent_dim": 2, "n_layers": 1, "critic_width": 8, "batch_size": 8, "n_critic": 2},
        "defaults": {"n_critic": 1, "batch_size": 8, "n_layers": 1, "critic_width": 8},
        "search_space": {
            "lr_generator": {"kind": "float", "low": 0.0001, "high": 0.1, "log": True},
            "n_critic": {"kind": "int", "low": 1, "high": 2},
        },
        "qnn": {"n_layers": 1, "n_starts": 1, "n_steps": 2},
        "score": {"n_rows": 32},
    },
    "episode": {"n_decisions": 3, "iterations_per_decision": 2},
    "n_instances": 4,
    "agent": {"epochs": 1, "minibatch": 8},
    "budget": {"agent_trials": 16, "held_out": 2, "random_runs": 2},
    "resources": {"n_lanes": 4, "n_runners": 1},
    "n_synthetic": 50,
}


@pytest.fixture
def tiny() -> dict[str, Any]:
    """A study as plain data; change what the test is about."""
    return yaml.safe_load(yaml.safe_dump(TINY))  # type: ignore[no-any-return]


@pytest.fixture
def tiny_file(tmp_path: Path, tiny: dict[str, Any]) -> Path:
    """The study as a file."""
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(tiny))
    return path


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that all tests share."""
    made = Running(tmp_path_factory.mktemp("service"))
    made.start()
    yield made
    assert made.json("down")["stopped"]
    assert not made.json("down")["stopped"]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with MLflow's tables, which take seconds to make."""
    folder = tmp_path_factory.mktemp("mlflow")
    code = (
        f"from cluster.tracking.store import TrackingStore as S; S('sqlite:///{folder}/mlflow.db', 'e', 's').client()"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (result.stdout, [line for line in result.stderr.splitlines() if "Warning" not in line]) == ("", [])
    return folder / "mlflow.db"


@pytest.fixture
def uri(tmp_path: Path, empty_database: Path) -> str:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def closed_port() -> str:
    """An HTTP address where nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}"

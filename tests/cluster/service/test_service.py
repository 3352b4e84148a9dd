"""The service as its user meets it: up, submit, watch, stop, resume, results, down."""

import http.client
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from cluster.service import roles
from cluster.service import service as services
from cluster.service.down import bring_down
from cluster.service.faults import faults
from cluster.service.service import Offer, Service
from cluster.service.up import join, start_head
from cluster.system.home import HOME
from qsynth.errors import QsynthError
from tests.cluster.conftest import TINY
from tests.cluster.running import CANARY, Running, free_ports

OFFER = Offer(cpus=None, qpus=1)


def answer(url: str, token: str | None = None) -> int:
    """HTTP status of a GET."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def study(running: Running) -> Path:
    """A study of a CSV file beside it, long enough to be stopped."""
    values = yaml.safe_load(yaml.safe_dump(TINY)) | {"name": "mine"}
    values["data"] = {"kind": "csv", "path": "rows.csv", "label": "class", "n_features": 2, "n_train": 24}
    values["budget"] |= {"agent_trials": 1500, "search_share": 0.007}
    rows = [f"{(7 * i) % 11},{(5 * i) % 13 + i % 2},{'ab'[i % 2]}" for i in range(120)]
    (running.folder / "rows.csv").write_text("\n".join(["x,y,class", *rows]))
    file = running.folder / "mine.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


@pytest.mark.timeout(600)  # with the start of the service
def test_it_listens_on_loopback_and_asks_for_the_token(running: Running) -> None:
    up = running.up
    token = Path(up["token"])
    assert token.stat().st_mode & 0o777 == 0o600
    assert answer(f"{up['dashboard']}/api/jobs/") == 401
    assert answer(f"{up['dashboard']}/api/jobs/", token.read_text()) == 200
    assert answer(f"{up['tracking_uri']}/health") == 200
    for path in ("", "/api/2.0/mlflow/experiments/search?max_results=1", "/version"):
        assert answer(up["tracking_uri"] + path) == 401
        assert answer(up["tracking_uri"] + path, "another") == 401
        assert answer(up["tracking_uri"] + path, token.read_text()) == 200
    for folder in (Path(up["out"]), running.folder / "home"):
        assert folder.stat().st_mode & 0o077 == 0
    family = [psutil.Process(pid) for pid, *_ in up["processes"].values()]
    family += [child for process in family for child in process.children(recursive=True)]
    deadline, listening = time.monotonic() + 60, list[str]()
    while len(listening) <= 5:  # on a busy machine the last ones come late
        assert time.monotonic() < deadline, listening
        listening = [
            connection.laddr.ip
            for process in family
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
    assert {address.removeprefix("::ffff:") for address in listening} <= {"127.0.0.1", "::1"}
    assert running.json("up") == up  # a second time changes nothing


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")  # MLflow's and SQLAlchemy's own
def test_a_study_is_submitted_stopped_resumed_and_found(running: Running, study: Path) -> None:
    submitted = running.json("submit", study)
    run = submitted["run"]
    assert submitted["plan"].startswith("1 population of 4 trials")
    [announced] = _parents(running, run)
    assert announced.info.status in ("SCHEDULED", "RUNNING")  # its job may have begun
    assert announced.info.run_id in submitted["mlflow"]
    (running.folder / "rows.csv").unlink()  # the cluster has its own copy
    running.wait(run, lambda found: "train agent" in found["last_line"])
    assert "must have ended" in running.qsynth("resume", run, fails=True)
    stopped = running.json("stop", run)
    assert (stopped["id"], stopped["status"]) == (run, "STOPPED")
    assert "stopped by SIGTERM" in running.json("logs", run)["log"]
    assert "has ended already" in running.qsynth("stop", run, fails=True)

    assert "give either a RUN" in running.qsynth("resume", run, "--all", fails=True)
    assert "give either a RUN" in running.qsynth("resume", fails=True)
    [resumed] = running.json("resume", "--all")
    assert resumed["id"] == f"{run}-r2"
    assert running.json("resume", "--all") == []
    assert running.wait(run, lambda found: found["status"] in ("SUCCEEDED", "FAILED"))["status"] == "SUCCEEDED"
    log = running.qsynth("logs", run, "--follow")
    assert "resumed at" in log
    assert "is complete" in running.qsynth("resume", run, fails=True)
    assert [job["id"] for job in running.json("jobs")] == [run, f"{run}-r2"]

    [parent] = _parents(running, run)
    assert (parent.info.run_id, parent.info.status) == (announced.info.run_id, "FINISHED")
    found = running.json("results", run, "--csv", "all.csv")
    rivals = {row["rival"] for row in found}
    assert rivals == {"agent", "defaults", "tuned constants", "tuned exponential", "random search"}
    assert all(row["low"] <= row["score"] <= row["high"] for row in found)
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    assert len((running.folder / "all.csv").read_text().splitlines()) == 6
    assert running.json("results")[0]["run"] == run
    metrics = _metrics(running)
    assert f'study="{run}"' in metrics
    for name in ("ray_qsynth_trials_total", "ray_qsynth_sampled_steps_total"):
        assert f"\n{name}{{" in metrics


def _parents(running: Running, run: str) -> list[Any]:
    """A study's runs in MLflow, without its trials'."""
    client = running.tracking()
    experiment = client.get_experiment_by_name("qsynth")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"attributes.run_name = '{run}'"))


def _metrics(running: Running) -> str:
    """What the head's metrics pages show."""
    up = running.up
    process = psutil.Process(up["processes"]["ray"][0])
    pages = []
    for child in process.children(recursive=True):
        for connection in child.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{connection.laddr.port}/metrics", timeout=2) as page:
                        pages.append(page.read().decode())
                except (OSError, ValueError, http.client.HTTPException):  # other protocols speak at other ports
                    continue
    return "\n".join(pages)


def test_no_secret_is_left_anywhere(running: Running) -> None:
    """The token and a secret of the environment, after studies have run: not in logs, metadata, records or metrics."""
    token = Path(running.up["token"])
    ray = psutil.Process(running.up["processes"]["ray"][0])
    arguments = [argument for child in ray.children() for argument in child.cmdline()]
    [session] = {Path(argument.split("=", 1)[1]) for argument in arguments if argument.startswith("--session-dir=")}
    secrets = [token.read_text().strip().encode(), CANARY.encode()]
    files = [path for folder in (running.folder, session) for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 50
    leaks = [path for path in files if path != token and any(secret in path.read_bytes() for secret in secrets)]
    assert leaks == []
    said = running.qsynth("jobs", "--json") + running.qsynth("logs", running.json("jobs")[0]["run"]) + _metrics(running)
    assert not any(secret.decode() in said for secret in secrets)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"resources": {"n_lanes": 4, "n_runners": 500}}, "resources.n_runners must be at most 2"),
        ({"resources": {"place": "cuda"}}, "resources.place must be cpu on a cluster without a GPU"),
        ({"trail": {}}, "unknown key 'trail'"),
    ],
)
def test_what_the_cluster_cannot_run_is_refused(
    running: Running, tmp_path: Path, tiny: dict[str, Any], change: dict[str, Any], expected: str
) -> None:
    file = tmp_path / "changed.yaml"
    file.write_text(yaml.safe_dump(tiny | change))
    before = running.json("jobs")
    assert expected in running.qsynth("submit", file, fails=True)
    assert running.json("jobs") == before


def test_what_is_not_there_is_said_in_a_line(running: Running) -> None:
    assert "no study 'nothing' on this cluster" in running.qsynth("status", "nothing", fails=True)
    assert "no run 'nothing'" in running.qsynth("results", "nothing", fails=True)
    [port] = free_ports(1)
    line = running.qsynth("jobs", "--address", f"http://127.0.0.1:{port}", fails=True)
    assert line.startswith(f"qsynth: no Ray cluster answers at http://127.0.0.1:{port}")
    assert len(line.splitlines()) == 1


# Without a service


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_used_port_is_refused_before_anything_starts(home: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(QsynthError, match=f"port {port} must be free"):
            start_head(tmp_path / "runs", "127.0.0.1", port, *free_ports(2), OFFER)
    assert not home.exists()
    assert not (tmp_path / "runs").exists()


def test_a_token_that_others_can_read_is_refused(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (home / "token").write_text("secret")
    (home / "token").chmod(0o644)
    with pytest.raises(QsynthError, match="chmod 600"):
        start_head(tmp_path / "runs", "127.0.0.1", *free_ports(3), OFFER)
    with pytest.raises(QsynthError, match="can't be read"):
        join("127.0.0.1:1", home / "none", OFFER)
    (home / "token").unlink()
    with pytest.raises(QsynthError, match="--join needs --token"):
        join("127.0.0.1:1", None, OFFER)


def test_faults_are_named_with_their_remedy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [port] = free_ports(1)
    monkeypatch.setattr(services, "PORTS", {"--port": port})
    assert faults() == []
    home.mkdir()
    (home / "token").write_text("secret")
    (home / "token").chmod(0o644)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        mode, used = faults()
    assert "chmod 600" in mode
    assert f"port {port} is in use" in used
    assert "--port PORT" in used
    (home / "token").chmod(0o600)
    values = {"processes": {"ray": (2**22, 1.0)}, "cluster": "127.0.0.1:6379"}
    (home / "service.json").write_text(json.dumps(values))
    [died] = faults()
    assert "qsynth down, then qsynth up" in died


def test_a_head_that_is_not_there_is_not_joined(home: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o600)
    [port] = free_ports(1)
    with pytest.raises(QsynthError, match="no Ray head answers"):
        join(f"127.0.0.1:{port}", token, OFFER)
    with pytest.raises(QsynthError, match="no Ray head answers"):
        join("127.0.0.1:99999", token, OFFER)
    with pytest.raises(QsynthError, match="takes HOST:PORT"):
        join("nonsense", token, OFFER)


def test_a_dead_service_is_none(home: Path) -> None:
    home.mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    values = {"processes": {"ray": (dead.pid, 1.0)}, "cluster": "127.0.0.1:6379"}
    (home / "service.json").write_text(json.dumps(values))
    assert Service.load() is None
    assert bring_down() == (False, [], [])
    assert not (home / "service.json").exists()


def test_a_process_that_does_not_come_up_is_an_error_with_its_last_words(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "RAY_START", (sys.executable, "-c", "import sys; sys.exit('no luck')"))
    with pytest.raises(QsynthError, match=r"ray did not come up \(no luck\); see .*ray.log"):
        start_head(tmp_path / "runs", "127.0.0.1", *free_ports(3), OFFER)
    assert Service.load() is None

"""What is logged reaches MLflow once, whoever is killed or unreachable meanwhile."""

import json
import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from cluster.system.sqlite_file import sqlite_uri
from cluster.tracking.journal import OFFSET_NAME, Journal
from cluster.tracking.store import TrackingStore
from cluster.tracking.sync import sync
from cluster.tracking.tracker import Tracker
from qsynth.errors import QsynthError

pytestmark = pytest.mark.filterwarnings(
    "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"
)
ROOT = Path(__file__).parents[3]


def qsynth(*arguments: str) -> str:
    """What a command says on standard error."""
    command = [sys.executable, "-c", "from cluster.cli.app import main; main()", *arguments]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == (2 if answer.stderr else 0), answer
    return answer.stderr


class Stored:
    """What MLflow has of an experiment."""

    def __init__(self, uri: str, experiment: str = "e") -> None:
        self.client = TrackingStore(uri, experiment, "s").client()
        self.experiment = self.client.get_experiment_by_name(experiment)
        self.runs = self.client.search_runs([self.experiment.experiment_id], max_results=1000)

    def run(self, trial: str | None = None) -> Any:
        (run,) = [run for run in self.runs if run.data.tags.get("qsynth.trial") == trial]
        return run

    def history(self, key: str, trial: str | None = None) -> list[tuple[int, float]]:
        history = self.client.get_metric_history(self.run(trial).info.run_id, key)
        return sorted((metric.step, metric.value) for metric in history)

    def statuses(self) -> list[str]:
        return sorted(run.info.status for run in self.runs)


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_study_as_mlflow_shows_it(tmp_path: Path, uri: str) -> None:
    report = tmp_path / "run" / "report.html"
    begun = time.time() * 1000
    tracker = Tracker(tmp_path / "run", uri, "e", "study 1")
    report.write_text("<p>")
    tracker.start_study({"lr": 0.1, "long": "x" * 7000} | {f"p.{i}": i for i in range(150)}, {"owner": "me"})
    tracker.start_trial("trial-0", {"seed": 3}, {"lane": "0"})
    for step in range(1200):
        tracker.log({"loss": step / 7}, step, trial="trial-0")
    tracker.log({"score": np.float32(0.5), "bad": float("inf"), "worse": float("nan")}, np.int64(7))
    tracker.set_tags({"mlflow.note.content": "# done"})
    tracker.log_artifact(report)
    tracker.log_artifact(report, trial="trial-0", folder="reports")
    tracker.end_trial("trial-0")
    assert tracker.close("FINISHED") == 0

    stored = Stored(uri)
    parent, child = stored.run(), stored.run("trial-0")
    assert tracker.location is not None
    assert (tracker.location.run_id, tracker.location.tracking_uri) == (parent.info.run_id, uri)
    assert stored.statuses() == ["FINISHED", "FINISHED"]
    assert len(parent.data.params) == 152
    assert parent.data.params["long"].endswith("... [cut, 7000 characters]")
    assert len(parent.data.params["long"]) == 6000
    assert parent.data.tags.items() >= {"owner": "me", "mlflow.note.content": "# done", "qsynth.attempt": "1"}.items()
    assert child.data.tags.items() >= {"mlflow.parentRunId": parent.info.run_id, "qsynth.study": "study 1"}.items()
    assert stored.history("loss", "trial-0") == [(step, step / 7) for step in range(1200)]
    assert parent.data.metrics == {"score": 0.5, "nonfinite_dropped": 2.0}
    assert begun - 1 <= parent.info.start_time <= parent.info.end_time <= time.time() * 1000
    artifacts = tmp_path / "mlartifacts"
    assert (artifacts / parent.info.run_id / "artifacts" / "report.html").read_text() == "<p>"
    assert (artifacts / child.info.run_id / "artifacts" / "reports" / "report.html").exists()


KILLED = """
import sys, time
from pathlib import Path
from cluster.tracking.tracker import Tracker

if __name__ == "__main__":
    run_dir, uri, first = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    tracker = Tracker(run_dir, uri, "e", "s")
    tracker.start_study({"lr": 0.1}, {})
    for trial in ("a", "b"):
        tracker.start_trial(trial, {}, {})
    step = first
    while True:
        tracker.log({"loss": 0.5 * step}, step, trial="ab"[step % 2])
        if step % 200 == 199:
            print(step, tracker.location is not None, flush=True)
        step += 1
        time.sleep(0.0002)
"""


def kill_a_tracker(run_dir: Path, uri: str, first: int) -> int:
    """Start a tracker in a process of its own, SIGKILL it while it delivers; the last step it had logged for sure."""
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(run_dir), uri, str(first)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    delivering = 0
    while delivering < 5:
        line = process.stdout.readline()
        delivering += line.endswith("True\n")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    lines = [line, *process.stdout.read().splitlines()]
    process.stdout.close()
    return int(lines[-1].split()[0])


def test_resume_after_sigkill(tmp_path: Path, uri: str) -> None:
    run_dir = tmp_path / "run"
    first = kill_a_tracker(run_dir, uri, 0)
    before = {run.info.run_id: run.info.status for run in Stored(uri).runs}
    assert "RUNNING" in before.values()
    tracker = Tracker(run_dir, uri, "e", "s")
    assert tracker.attempt_lock.attempt == 2
    tracker.start_study({"lr": 0.2}, {})
    tracker.start_trial("a", {}, {})
    tracker.log({"loss": -1.0}, 10**9, trial="a")
    assert tracker.close("KILLED", timeout_s=200) == 0

    stored = Stored(uri)
    assert len(stored.runs) == 3
    assert {run.info.run_id for run in stored.runs} >= before.keys()
    assert stored.statuses() == ["KILLED"] * 3  # b was not opened again, yet it is no orphan
    assert stored.run().data.params["lr"] == "0.1"
    assert stored.run().data.tags["qsynth.changed.lr"] == "0.2"
    assert stored.run().data.tags["qsynth.attempt"] == "2"
    steps = sorted([step for trial in "ab" for step, _ in stored.history("loss", trial)])
    assert steps[-1] == 10**9
    assert steps[:-1] == list(range(len(steps) - 1))  # nothing lost, nothing twice
    assert len(steps) > first


def test_sync_after_sigkill(tmp_path: Path, uri: str) -> None:
    run_dir = tmp_path / "run"
    first = kill_a_tracker(run_dir, uri, 0)
    result = sync(run_dir)
    stored = Stored(uri)
    assert stored.statuses() == ["KILLED"] * 3
    steps = sorted([step for trial in "ab" for step, _ in stored.history("loss", trial)])
    assert steps == list(range(len(steps)))
    assert len(steps) > first
    assert result.location is not None
    assert result.location.run_id == stored.run().info.run_id
    again = sync(run_dir)
    assert (again.delivered, again.skipped) == (0, 0)


def test_an_unreachable_store_loses_nothing(tmp_path: Path, uri: str, closed_port: str) -> None:
    run_dir = tmp_path / "run"
    tracker = Tracker(run_dir, closed_port, "e", "s")
    tracker.start_study({"lr": 0.1}, {})
    for step in range(50):
        tracker.log({"score": step}, step)
    with pytest.raises(QsynthError, match="must have one writer"):
        sync(run_dir, uri)
    begun = time.monotonic()
    assert tracker.close("FINISHED", timeout_s=1.0) == 52
    assert time.monotonic() - begun < 5
    assert tracker.location is None
    with pytest.raises(QsynthError, match="let go"):
        tracker.log({"score": 1.0}, 51)
    assert tracker.close("FINISHED") == 52

    result = sync(run_dir, uri)
    stored = Stored(uri)
    assert (result.delivered, stored.statuses()) == (52, ["FINISHED"])
    assert stored.history("score") == [(step, step) for step in range(50)]


def test_params_keep_their_first_value(tmp_path: Path, uri: str, closed_port: str) -> None:
    run_dir = tmp_path / "run"

    def attempt(lr: float) -> None:
        tracker = Tracker(run_dir, closed_port, "e", "s")
        tracker.start_study({"lr": lr, "batch": 64}, {})
        tracker.close("KILLED", timeout_s=0.0)

    for rates in ([0.1, 0.2], [0.3]):  # two attempts in one delivery, and one in a later delivery
        for lr in rates:
            attempt(lr)
        result = sync(run_dir, uri)
        run = Stored(uri).run()
        assert (result.delivered, result.skipped) == (2 * len(rates), 0)
        assert run.data.params == {"lr": "0.1", "batch": "64"}
        assert run.data.tags["qsynth.changed.lr"] == str(rates[-1])
        assert "qsynth.changed.batch" not in run.data.tags


def test_sync_names_the_way_out_of_half_made_tables(tmp_path: Path) -> None:
    """A process that was killed while MLflow made its tables left some of them, and MLflow refuses them for ever."""
    run, file = tmp_path / "runs 100%" / "my run", tmp_path / "runs 100%" / "mlflow.db"
    run.mkdir(parents=True)
    with sqlite3.connect(file) as database:
        database.execute("create table metrics (key text, step bigint)")
        database.execute("create table alembic_version (version_num text)")
    journal = Journal(run)
    journal.append("start", {"trial": None, "params": {}, "tags": {}})
    journal.close()
    TrackingStore.make(sqlite_uri(file), "e", "s").save(run)
    said = qsynth("sync", str(run))
    assert "must be a whole database" in said
    [aside, again] = said.strip().partition("Nothing is lost: ")[2].split("; ")
    assert shlex.split(again) == ["qsynth", "sync", str(run)]
    subprocess.run(aside, shell=True, check=True)
    assert not file.exists()
    assert qsynth(*shlex.split(again)[1:]) == ""
    assert [run.info.run_name for run in Stored(sqlite_uri(file)).runs] == ["s"]


def test_sync_says_when_the_store_is_away(tmp_path: Path, closed_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker(tmp_path, closed_port, "e", "s")
    tracker.start_study({}, {})
    tracker.close("FINISHED", timeout_s=0.0)
    monkeypatch.setattr("cluster.tracking.sync.FIRST_WAIT_SECONDS", 0.01)
    with pytest.raises(QsynthError, match=r"must be reachable; got .* 2 records wait"):
        sync(tmp_path)
    with pytest.raises(QsynthError, match="must be the run directory"):
        sync(tmp_path / "elsewhere")


def test_no_file_outside_the_run_directory_is_sent(tmp_path: Path, uri: str) -> None:
    """Whoever can write a run's folder, or had a run sent to him, must not get at other files by it."""
    run, secret = tmp_path / "run", tmp_path / "secret.txt"
    secret.write_text("secret")
    tracker = Tracker(run, uri, "e", "s")
    with pytest.raises(QsynthError, match="artifact must be in the run directory"):
        tracker.log_artifact(secret)
    (run / "folder").mkdir()
    (run / "folder" / "link").symlink_to(secret)
    (run / "link").symlink_to(secret)
    os.mkfifo(run / "pipe")
    tracker.start_study({}, {})
    for name in ("link", "folder", "pipe"):
        tracker.log_artifact(run / name)
    assert tracker.close("FINISHED") == 0
    journal = Journal(run)
    for path in (str(secret), "../secret.txt"):
        journal.append("artifact", {"trial": None, "path": path, "folder": ""})
    journal.close()
    assert sync(run).skipped == 2
    assert not [path for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()]


def test_sent_twice_is_stored_once(tmp_path: Path, uri: str) -> None:
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({"lr": 0.1}, {})
    for step in range(700):
        tracker.log({"a": step, "b": -0.1 * step}, step, trial="t")
    tracker.close("FINISHED")
    for name in (OFFSET_NAME, "tracking_runs.json"):  # the answer of the last call, and of the first, got lost
        (tmp_path / "run" / name).unlink()
    assert sync(tmp_path / "run").delivered == 702
    stored = Stored(uri)
    assert stored.statuses() == ["FINISHED", "FINISHED"]
    assert stored.history("b", "t") == [(step, -0.1 * step) for step in range(700)]


def test_a_study_deleted_in_mlflow_is_sent_again_whole(tmp_path: Path, uri: str) -> None:
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({}, {})
    tracker.log({"score": 1.0}, 1, trial="t")
    tracker.close("KILLED")
    stored = Stored(uri)
    for run in stored.runs:
        stored.client.delete_run(run.info.run_id)
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({}, {})
    tracker.log({"score": 2.0}, 2, trial="t")
    assert tracker.close("FINISHED") == 0
    assert Stored(uri).history("score", "t") == [(1, 1.0), (2, 2.0)]


def test_what_mlflow_refuses_holds_nothing_else_up(tmp_path: Path, uri: str) -> None:
    Tracker(tmp_path / "run", uri, "e", "s").close("FINISHED")
    artifact = tmp_path / "gone"
    journal = Journal(tmp_path / "run")
    for step in range(20):
        name = "bad$name" if step == 7 else "good"
        journal.append("metrics", {"trial": "t", "step": step, "metrics": {name: 1.0}})
    journal.append("artifact", {"trial": "t", "path": str(artifact), "folder": ""})
    journal.append("metrics", {"trial": None, "step": 1, "metrics": {"score": 1.0}})
    journal.close()
    assert sync(tmp_path / "run").skipped == 2
    assert len(Stored(uri).history("good", "t")) == 19
    assert Stored(uri).history("score") == [(1, 1.0)]


def test_logging_never_waits(tmp_path: Path, uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({}, {})
    wait_for(lambda: tracker.location)
    seconds = []
    for step in range(2000):
        begun = time.perf_counter()
        tracker.log({"loss": step, "score": 1 / (step + 1)}, step, trial=f"t{step % 16}")
        seconds.append(time.perf_counter() - begun)
        if step % 4 == 0:
            time.sleep(0.001)
    assert tracker.close("FINISHED") == 0
    p50, p99, worst = 1e3 * np.quantile(seconds, [0.5, 0.99, 1.0])
    with capsys.disabled():
        print(f"\nTracker.log: p50 {p50:.3f} ms, p99 {p99:.3f} ms, worst {worst:.1f} ms")
    assert p99 < 50


def test_caller_errors(tmp_path: Path) -> None:
    for bad in ("mlflow.db", "http://me:secret@host", "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(QsynthError, match="tracking uri must") as caught:
            Tracker(tmp_path, bad, "e", "s")
        assert "secret" not in str(caught.value)
    with pytest.raises(QsynthError, match="study must be"):
        Tracker(tmp_path, "sqlite:///x.db", "e", "it's")
    tracker = Tracker(tmp_path, "http://127.0.0.1:9", "e", "s")
    calls: dict[str, Callable[[], object]] = {
        "names must be": lambda: tracker.log({"a$": 1.0}, 1),
        "must be a number": lambda: tracker.log({"a": "high"}, 1),  # type: ignore[dict-item]
        "trial must be": lambda: tracker.start_trial("a'b", {}, {}),
        "artifact must exist": lambda: tracker.log_artifact(tmp_path / "none"),
        "status must be": lambda: tracker.end_trial("a", "DONE"),  # type: ignore[arg-type]
    }
    for message, call in calls.items():
        with pytest.raises(QsynthError, match=message):
            call()
    assert tracker.close("FAILED", timeout_s=0.0) == 1


def test_a_password_stays_out_of_the_run_directory(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path, "postgresql://me:s3cret@127.0.0.1:9/db", "e", "s")
    tracker.start_study({}, {})
    tracker.close("FINISHED", timeout_s=0.5)
    assert not [path for path in tmp_path.rglob("*") if b"s3cret" in path.read_bytes()]
    assert json.loads((tmp_path / "tracking.json").read_text())["uri"] == "postgresql://me:***@127.0.0.1:9/db"
    with pytest.raises(QsynthError, match="must be given"):
        sync(tmp_path)


@pytest.fixture
def server(tmp_path: Path, uri: str) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """An MLflow server's address, and functions that start and SIGKILL it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, running = f"http://127.0.0.1:{port}", []
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1", "--serve-artifacts"]
    command += ["--backend-store-uri", uri, "--artifacts-destination", str(tmp_path / "served")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}

    def answers() -> bool:
        with suppress(URLError, OSError):
            return bool(urlopen(f"{address}/health", timeout=2).read())
        return False

    def start() -> None:
        with (tmp_path / "server.log").open("ab") as log:
            running.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path, start_new_session=True)
            )
        wait_for(answers, 200)

    def kill() -> None:
        process = running.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    yield address, start, kill
    if running:
        kill()


@pytest.mark.slow
def test_a_killed_server_loses_nothing(
    tmp_path: Path, uri: str, server: tuple[str, Callable[[], None], Callable[[], None]]
) -> None:
    address, start, kill = server
    start()
    tracker = Tracker(tmp_path / "run", address, "e", "s")
    tracker.start_study({"lr": 0.1}, {})
    file = tmp_path / "run" / "report.html"
    file.write_text("<p>")
    tracker.log_artifact(file)
    wait_for(lambda: tracker.location)
    for step in range(3000):
        tracker.log({"loss": step / 3}, step, trial=f"t{step % 4}")
        if step == 1000:
            kill()
        if step == 2000:
            start()
        time.sleep(0.002)
    kill()
    tracker.log({"score": 1.0}, 1)
    start()
    assert tracker.close("FINISHED", timeout_s=120) == 0
    assert str(tracker.location).startswith(f"{address}/#/experiments/")
    stored = Stored(address)
    assert stored.statuses() == ["FINISHED"] * 5
    assert sorted(step for trial in range(4) for step, _ in stored.history("loss", f"t{trial}")) == list(range(3000))
    assert stored.history("score") == [(1, 1.0)]
    assert len(list((tmp_path / "served").rglob("report.html"))) == 1

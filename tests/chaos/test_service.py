"""Faults of the service: its processes are killed or frozen while studies run."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from cluster.system.files import read_json_object
from tests.chaos.bounds import recovery_seconds
from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.records import records
from tests.cluster.conftest import TINY
from tests.cluster.running import Running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]
ENDED = ("SUCCEEDED", "FAILED", "STOPPED")


class Faulty(Running):
    """A service to inject faults into."""

    def study(self, name: str, trials: int) -> Path:
        """A tiny study's file, in a folder of its own."""
        values = yaml.safe_load(yaml.safe_dump(TINY)) | {"name": name}
        values["budget"] |= {"agent_trials": trials, "search_share": 64 / trials}
        file = self.folder / "studies" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump(values))
        return file

    def number(self, role: str) -> int:
        """The number of the process of a role, as the service notes it."""
        return int(read_json_object(self.folder / "home" / "service.json")["processes"][role][0])

    def process(self, role: str) -> psutil.Process:
        """A process of the service, the present one of its role."""
        return psutil.Process(self.number(role))

    def until(self, condition: Callable[[], object], seconds: float = 900.0) -> float:
        """Wait until something is so; seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds
            time.sleep(0.2)
        return time.monotonic() - began

    def trains(self, run: str) -> None:
        """Wait until a run trains."""
        journal = self.folder / "runs" / run / "journal.jsonl"
        self.until(lambda: journal.is_file() and "training/sampled_steps" in journal.read_text(errors="replace"))

    def mlflow_answers(self) -> bool:
        """Whether the server does."""
        command = ["curl", "-sf", "-m", "2", f"{self.up['tracking_uri']}/health"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def row(self, run: str, **values: Any) -> Row:
        """A row with what became of a run's records."""
        found = records(self.folder / "runs" / run, self.folder / "runs" / "mlflow.db")
        assert (found.lost, found.duplicates, found.orphans) == (0, 0, 0), values
        counts = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
        return Row(**values, repeated=found.repeated, **counts)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """One for all tests, which leave it whole."""
    made = Faulty(tmp_path_factory.mktemp("faulty"))
    made.start()
    yield made
    made.json("down")


def submitted(faulty: Faulty, name: str, trials: int) -> str:
    """A run that trains."""
    run = str(faulty.json("submit", faulty.study(name, trials))["run"])
    faulty.trains(run)
    return run


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP for 15 s"])
def test_mlflow_goes_away(faulty: Faulty, table: FaultTable, how: str) -> None:
    run = submitted(faulty, f"mlflow-{how[:7].lower()}", 300)
    server = faulty.process("mlflow")
    if how == "SIGKILL":
        server.kill()
        seconds = faulty.until(lambda: faulty.number("mlflow") != server.pid and faulty.mlflow_answers())
    else:
        family = [server, *server.children(recursive=True)]
        for each in family:
            each.suspend()
        time.sleep(15)
        for each in family:
            each.resume()
        seconds = faulty.until(faulty.mlflow_answers)
    assert faulty.wait(run, lambda job: job["status"] in ENDED)["status"] == "SUCCEEDED"
    table.add(
        faulty.row(
            run,
            fault=f"{how} of MLflow",
            when="training",
            expected="the study goes on, nothing is lost",
            observed="it did",
            seconds=seconds,
        )
    )
    assert seconds < recovery_seconds()


def test_a_study_that_ray_was_given_by_hand_is_stopped_and_resumed(faulty: Faulty, table: FaultTable) -> None:
    file = faulty.study("by-hand", 300)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": faulty.up["token"]}
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "job"]
    where = ["--address", faulty.up["dashboard"]]
    command = ["submit", "--no-wait", "--submission-id", "mine-1", *where, "--working-dir", str(file.parent)]
    environment = faulty.environment | token | {"no_proxy": "127.0.0.1"}
    subprocess.run(
        [*ray, *command, "--", "qsynth", "tune", file.name], env=environment, check=True, capture_output=True
    )
    faulty.trains("mine-1")
    [job] = [job for job in faulty.json("jobs") if job["id"] == "mine-1"]
    assert (job["run"], job["study"], job["status"]) == ("mine-1", "by-hand", "RUNNING")
    subprocess.run([*ray, "stop", *where, "mine-1"], env=environment, check=True, capture_output=True)
    assert faulty.json("status", "mine-1")["status"] == "STOPPED"
    assert faulty.json("resume", "mine-1")["id"] == "mine-1-r2"
    assert faulty.wait("mine-1", lambda job: job["status"] in ENDED)["status"] == "SUCCEEDED"
    about = {"when": "training", "expected": "STOPPED, `qsynth resume` goes on", "observed": "it did"}
    table.add(faulty.row("mine-1", fault="`ray job stop` of a job submitted by hand", **about))


def test_the_head_dies(faulty: Faulty, table: FaultTable) -> None:
    run = submitted(faulty, "head", 3000)
    others = [str(faulty.json("submit", faulty.study(f"head-{which}", 64))["run"]) for which in ("b", "a")]
    head = faulty.process("ray")
    head.kill()
    seconds = faulty.until(lambda: faulty.number("ray") != head.pid)
    faulty.until(lambda: (faulty.folder / "home" / "ray.log").read_text().count("Ray runtime started") > 0)
    folder = faulty.folder / "runs" / run
    faulty.until(lambda: all(_unlocked(folder.parent / each) for each in (run, *others)))  # drivers notice
    [job] = [job for job in faulty.json("jobs") if job["run"] == run]
    assert (job["status"], job["known"]) == ("STOPPED", False)
    file = folder / "study.yaml"
    resolved, written = yaml.safe_load(file.read_text()), file.stat().st_mtime
    resolved["budget"]["agent_trials"] = 64  # what is trained already is enough
    file.write_text(yaml.safe_dump(resolved))
    os.utime(file, (written, written))  # it tells when the study was submitted
    assert [job["run"] for job in faulty.json("resume", "--all")] == [run, *others]
    for each in (run, *others):
        assert faulty.wait(each, lambda job: job["status"] in ENDED)["status"] == "SUCCEEDED"
    about = {"when": "training", "expected": "started again, found and resumed", "observed": "it was"}
    table.add(faulty.row(run, fault="SIGKILL of the head", seconds=seconds, **about))


def _unlocked(folder: Path) -> bool:
    from cluster.system.attempt_lock import LOCK_NAME, is_held

    return not is_held(folder / LOCK_NAME)


def test_many_wait_in_line_and_all_finish_in_order(faulty: Faulty, table: FaultTable) -> None:
    """As many as $QSYNTH_CHAOS_STUDIES says, or 6."""
    count = int(os.environ.get("QSYNTH_CHAOS_STUDIES", "6"))
    code = (
        "import sys\n"
        "from cluster.system.environment import prepare_process\n"
        "prepare_process()\n"
        "from cluster.service.jobs import Jobs\n"
        "from cluster.study.study import load_study\n"
        "jobs, study = Jobs(None), load_study(sys.argv[1])\n"
        "for number in range(int(sys.argv[2])):\n"
        "    print(jobs.submit(study, f'queued-{number:02}').id)\n"
    )
    arguments = [str(faulty.study("queued", 64)), str(count)]
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, *arguments], env=faulty.environment, check=True)
    ids = [f"queued-{number:02}" for number in range(count)]
    places = {job["id"]: job["place"] for job in faulty.json("jobs") if job["id"] in ids}
    assert [places[name] for name in ids if places[name]] == sorted(place for place in places.values() if place)
    most, began = 0, time.monotonic()
    while True:
        jobs = {job["id"]: job for job in faulty.json("jobs") if job["id"] in ids}
        most = max(most, sum(job["status"] == "RUNNING" for job in jobs.values()))
        if all(job["status"] in ENDED for job in jobs.values()):
            break
        assert time.monotonic() - began < 300 * count
        time.sleep(5)
    assert [job["status"] for job in jobs.values()] == ["SUCCEEDED"] * count
    first = [_first_record(faulty.folder / "runs" / name) for name in ids]
    about = {"when": "at once", "expected": "all finish, in order, two at a time", "observed": f"{count} did"}
    table.add(Row(fault=f"{count} studies are submitted", **about, seconds=time.monotonic() - began))
    assert all(earlier <= later for earlier, later in zip(first, first[2:], strict=False))
    assert most <= 2


def _first_record(run: Path) -> int:
    return int(json.loads((run / "journal.jsonl").read_text().splitlines()[0])["time"])


def test_another_service_is_started_here(
    faulty: Faulty, table: FaultTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Faulty(tmp_path_factory.mktemp("other"))
    other.start()
    try:
        runs = [(each, str(each.json("submit", each.study("shared", 64))["run"])) for each in (faulty, other)]
        for each, run in runs:
            assert each.wait(run, lambda job: job["status"] in ENDED)["status"] == "SUCCEEDED"
    finally:
        other.json("down")
    about = {"when": "before two studies", "expected": "each has its own", "observed": "each had"}
    table.add(faulty.row(runs[0][1], fault="another service is started on the machine", **about))


def test_down_without_mlflow_then_up_and_resume(faulty: Faulty, table: FaultTable) -> None:
    run = submitted(faulty, "down", 3000)
    for role in ("supervisor", "mlflow"):
        faulty.process(role).kill()
    assert [job["status"] for job in faulty.json("jobs") if job["run"] == run] == ["RUNNING"]
    faulty.json("results")
    ended = faulty.json("down")
    assert (ended["stopped"], ended["studies"]) == (True, [run])
    about = {"when": "training", "expected": "`down` stops the study, KILLED in MLflow", "observed": "it did"}
    table.add(faulty.row(run, fault="SIGKILL of MLflow and its supervisor, then `down`", **about))
    faulty.start()
    [job] = [job for job in faulty.json("jobs") if job["run"] == run]
    assert (job["status"], job["known"], job["study"]) == ("STOPPED", False, "down")
    assert faulty.json("resume", run)["id"] == f"{run}-r2"
    faulty.json("stop", run)

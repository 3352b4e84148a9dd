"""Faults between hosts: a cable is out for a while, a worker's process dies, and a driver."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.chaos import tuned_experiment
from tests.chaos.bounds import REPEATED, recovery_seconds
from tests.chaos.fault_table import FaultTable, Row
from tests.chaos.hosts import Host, Network, missing, until
from tests.chaos.records import records
from tests.cluster.conftest import TINY

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]
N_DECISIONS = 12  # of a trial under Ray Tune
SECONDS = 600.0  # that anything may take


class Cluster:
    """A head and a worker, with one CPU each."""

    def __init__(self, head: Host, worker: Host, folder: Path) -> None:
        self.head, self.worker, self.folder = head, worker, folder
        offer = "--cpus", 1, "--qpu", 0
        self.up = head.json("up", "--host", head.address, *offer, "--drivers", 1, "--out", folder / "runs")
        worker.json("up", "--join", f"{head.address}:6379", "--token", self.up["token"], *offer)

    def study(self, name: str, **changes: Any) -> Path:
        """A tiny study's file."""
        values = yaml.safe_load(yaml.safe_dump(TINY)) | {"name": name} | changes
        values["budget"] |= {"agent_trials": 100_000, "search_share": 64 / 100_000}
        values["resources"] = {"n_lanes": 4}
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(values))
        return file

    def iterations(self, run: str) -> list[dict[str, float]]:
        """What the agent's training has recorded so far."""
        found = []
        journal = self.folder / "runs" / run / "journal.jsonl"
        for line in journal.read_text().splitlines() if journal.is_file() else []:
            metrics = json.loads(line)["body"].get("metrics", {})
            found += [metrics] if "training/sampled_steps" in metrics else []
        return found

    def trains_with(self, run: str, populations: int) -> float:
        """Wait until the agent trains with so many populations, from now on; seconds that it took."""
        before = len(self.iterations(run))

        def does() -> bool:
            new = self.iterations(run)[before:]
            return any(each["training/populations"] == populations and each["training/empty"] == 0 for each in new)

        return until(does, SECONDS)

    def ends(self, run: str) -> None:
        """Stop a run, and have it go on to its end with what it has sampled."""
        self.head.json("stop", run)
        file = self.folder / "runs" / run / "study.yaml"
        resolved = yaml.safe_load(file.read_text())
        resolved["budget"] |= {"agent_trials": 64, "search_share": 1.0}
        file.write_text(yaml.safe_dump(resolved))
        self.head.json("resume", run)
        until(lambda: self.head.json("status", run)["status"] not in ("PENDING", "RUNNING"), SECONDS)
        assert self.head.json("status", run)["status"] == "SUCCEEDED", self.head.json("logs", run)["log"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests, which leave it whole."""
    folder = tmp_path_factory.mktemp("hosts")
    with Network(folder) as network:
        made = Cluster(network.host(), network.host(), folder)
        yield made
        made.head.json("down")


@pytest.mark.parametrize("cut", [15, 120])
def test_the_cable_of_a_worker_is_out(cluster: Cluster, table: FaultTable, cut: int) -> None:
    run = str(cluster.head.json("submit", cluster.study(f"cut-{cut}"))["run"])
    cluster.trains_with(run, 2)
    cluster.worker.plug(connected=False)
    out = time.monotonic()
    try:
        alone = cluster.trains_with(run, 1)
        time.sleep(max(0.0, cut - (time.monotonic() - out)))
        there = cluster.trains_with(run, 1) if time.monotonic() - out > 60 else 0.0
    finally:
        cluster.worker.plug(connected=True)
    again = cluster.trains_with(run, 2)
    cluster.ends(run)
    found = records(cluster.folder / "runs" / run, cluster.folder / "runs" / "mlflow.db")
    counts = {"lost": found.lost, "duplicates": found.duplicates, "orphans": found.orphans}
    table.add(
        Row(
            fault=f"a worker's cable is out for {cut} s",
            when="training",
            expected="the head's population goes on, the worker's comes back",
            observed=f"it did; both sample {again:.0f} s after",
            seconds=alone,
            repeated=found.repeated,
            **counts,
        )
    )
    assert set(counts.values()) == {0}
    assert found.repeated <= REPEATED
    assert alone < recovery_seconds()
    assert there < recovery_seconds()


class Experiment:
    """An experiment of Ray Tune, whose driver is on the head."""

    def __init__(self, cluster: Cluster) -> None:
        episode = {"n_decisions": N_DECISIONS, "iterations_per_decision": 20}
        self.study, self.folder = cluster.study("tuned", episode=episode), cluster.folder / "tune"
        self._cluster = cluster

    def start(self, *options: str) -> Any:
        """Its driver."""
        cluster = self._cluster
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(cluster.up["token"])}
        return cluster.head.start(
            *(sys.executable, "-W", "ignore", tuned_experiment.__file__, self.study, self.folder, *options),
            RAY_ADDRESS=f"{cluster.head.address}:6379",
            TUNE_GLOBAL_CHECKPOINT_S="0",
            **token,
        )

    def steps(self) -> dict[str, list[int]]:
        """Decisions that each trial has reported, in order."""
        found = {}
        for file in sorted((self.folder / tuned_experiment.NAME).glob("*/result.json")):
            found[file.parent.name] = [json.loads(line)["decision"] for line in file.read_text().splitlines()]
        return found

    def finished(self) -> set[str]:
        """Trials that Tune has noted as over; one that has reported its last decision may not be yet."""
        files = (self.folder / tuned_experiment.NAME).glob("experiment_state-*.json")
        latest = max(files, key=lambda file: file.stat().st_mtime, default=None)
        try:
            states = [json.loads(state) for state, _ in json.loads(latest.read_text())["trial_data"]] if latest else []
        except ValueError:  # it is just written
            return set()
        over = [state["trial_id"] for state in states if state["status"] == "TERMINATED"]
        return {trial for trial in self.steps() if any(f"_{number}_" in trial for number in over)}


def test_a_worker_and_then_the_driver_of_an_experiment_die(cluster: Cluster, table: FaultTable) -> None:
    experiment = Experiment(cluster)
    driver = experiment.start()

    def somewhere(number: int) -> bool:
        assert driver.poll() is None, driver.communicate()
        return sum(map(len, experiment.steps().values())) >= number

    def trials() -> list[psutil.Process]:
        return cluster.worker.processes("ray::tuned")

    until(lambda: somewhere(3) and trials(), SECONDS)
    [killed, *_] = trials()
    killed.kill()
    steps = sum(map(len, experiment.steps().values()))
    seconds = until(lambda: somewhere(steps + 4) and trials(), SECONDS)
    until(lambda: somewhere(1) and len(experiment.finished()) >= 2, SECONDS)
    [itself] = psutil.Process(driver.pid).children()  # what was started is nsenter, which waits for it
    itself.kill()
    driver.communicate()
    finished, before = experiment.finished(), experiment.steps()
    assert 2 <= len(finished) < tuned_experiment.TRIALS
    restored = experiment.start("restore")
    output, errors = restored.communicate(timeout=SECONDS)
    assert restored.returncode == 0, errors
    found = json.loads(output.splitlines()[-1])
    assert found == [{"error": "", "decision": N_DECISIONS}] * tuned_experiment.TRIALS
    after = experiment.steps()
    assert {trial: after[trial] for trial in finished} == {trial: before[trial] for trial in finished}
    repeated = sum(map(len, after.values())) / (N_DECISIONS * tuned_experiment.TRIALS)
    table.add(
        Row(
            fault="Ray Tune: SIGKILL of a trial on a worker, then of the driver, and `Tuner.restore`",
            when=f"{len(finished)} of {tuned_experiment.TRIALS} trials had finished",
            expected="all finish, none that had is repeated",
            observed="they did, none was",
            seconds=seconds,
            repeated=repeated,
        )
    )
    assert repeated <= REPEATED

"""A cluster of several hosts on one machine: a study runs across them while a worker joins and another is lost.

    python -m tests.benchmarks.hosts --out tests/benchmarks/results/hosts.json

Each host is a network, process and mount namespace with an address of its own on a virtual switch; needs root and
iproute2. A head that offers no CPU, a worker with one, one with a quantum device and no CPU. ``qsynth submit`` starts a
study; a second worker joins while it trains, and is switched off later without notice; at the end the study fine-tunes
on the device (a noise model). Reported: decisions per second with 1 and 2 populations and the efficiency of the second,
how long it took until a new host worked, how long training stood still when one was lost, and from the submission to
the first decision. Hosts share this machine's cores, and each runs Ray's daemons: the efficiency is a lower bound.
"""

import argparse
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks import machine

SWITCH = "qsynth-switch"
ITERATIONS_ALONE, ITERATIONS_TOGETHER, ITERATIONS_AFTER = 6, 8, 4
QSYNTH = [sys.executable, "-c", "from cluster.cli.app import main; main()"]
STUDY: dict[str, Any] = {
    "n_instances": 8,
    "budget": {"agent_trials": 2500, "search_share": 0.01, "held_out": 4, "random_runs": 2},
    "hardware": {
        "engine": {"name": "default.mixed", "shots": 100, "noise": {"two_qubit": 0.01, "readout": 0.02}},
        "shot_budget": 200_000,
        "n_decisions": 1,
        "iterations_per_decision": 1,
        "batch_size": 4,
        "n_rows": 32,
    },
}


def ip(*arguments: str) -> None:
    """iproute2."""
    subprocess.run(["ip", *arguments], check=True)


class Host:
    """A namespace that behaves like a machine of its own."""

    def __init__(self, name: str, number: int, folder: Path) -> None:
        self.space, self.address = f"qsynth-{name}", f"10.77.0.{number}"
        self.folder = folder / name
        self.folder.mkdir()
        ip("netns", "add", self.space)
        ip("link", "add", "eth0", "netns", self.space, "type", "veth", "peer", "name", f"p{number}", "netns", SWITCH)
        ip("-n", SWITCH, "link", "set", f"p{number}", "master", "br0", "up")
        ip("-n", self.space, "link", "set", "lo", "up")
        ip("-n", self.space, "addr", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.space, "link", "set", "eth0", "up")
        rays = Path(tempfile.gettempdir()) / "ray"  # where Ray keeps its sessions; each host has its own
        rays.mkdir(exist_ok=True)
        code = f"mount -t tmpfs tmpfs /dev/shm; mount --bind {self.folder} {rays}; touch {rays}/up; exec sleep infinity"
        self._power = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.space),
                *("unshare", "-m", "-p", "-f", "--kill-child=KILL", "--mount-proc", "sh", "-c", code),
            ]
        )
        while not (self.folder / "up").exists():
            time.sleep(0.05)
        self._first = int(subprocess.check_output(["pgrep", "-P", str(self._power.pid)]))

    def start(self, *arguments: object, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        """A ``qsynth`` command on this host."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_"))}
        return subprocess.Popen(
            ["nsenter", f"--target={self._first}", "-n", "-m", "-p", *QSYNTH, *map(str, arguments)],
            env=kept | {"QSYNTH_HOME": str(self.folder / "home")} | (env or {}),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *arguments: object) -> Any:
        """What a command prints with ``--json``.

        Raises:
            RuntimeError: it failed.
        """
        process = self.start(*arguments, "--json")
        output, errors = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{arguments}: {errors}")
        return json.loads(output)

    def switch_off(self) -> None:
        """All its processes are gone at once."""
        self._power.send_signal(signal.SIGKILL)
        self._power.wait()

    def remove(self) -> None:
        """Take it off the machine."""
        if self._power.poll() is None:
            self.switch_off()
        ip("netns", "delete", self.space)


def iterations(run: Path) -> list[dict[str, float]]:
    """What the study has recorded of its training so far, each with the time at which it was."""
    found = []
    for line in (run / "journal.jsonl").read_text().splitlines():
        record = json.loads(line)
        metrics = record["body"].get("metrics", {})
        if "training/sampled_steps" in metrics:
            found.append({"time": record["time"] / 1000, **metrics})
    return found


def wait(run: Path, populations: int, count: int) -> list[dict[str, float]]:
    """The latest iterations, when ``count`` of them in a row had so many populations.

    Raises:
        TimeoutError: not within ten minutes.
    """
    deadline = time.time() + 600
    while time.time() < deadline:
        last = iterations(run)[-count:] if (run / "journal.jsonl").exists() else []
        if len(last) == count and all(each["training/populations"] == populations for each in last):
            return last
        time.sleep(0.5)
    raise TimeoutError(f"no {count} iterations with {populations} populations")


def rate(found: list[dict[str, float]]) -> float:
    """Decisions per second, the median of iterations; the first of them may have begun otherwise."""
    return statistics.median(
        (after["training/sampled_steps"] - before["training/sampled_steps"]) / after["training/seconds"]
        for before, after in itertools.pairwise(found)
    )


def measure(study: str, folder: Path) -> dict[str, Any]:
    """The whole story."""
    ip("netns", "add", SWITCH)
    ip("-n", SWITCH, "link", "add", "br0", "type", "bridge")
    ip("-n", SWITCH, "link", "set", "br0", "up")
    hosts: list[Host] = []
    try:
        head = Host("head", 1, folder)
        hosts.append(head)
        up = head.json("up", "--host", head.address, "--cpus", 0, "--qpu", 0, "--out", folder / "runs")

        def joined(name: str, number: int, *offer: object) -> Host:
            host = Host(name, number, folder)
            hosts.append(host)
            host.json("up", "--join", f"{head.address}:6379", "--token", up["token"], *offer)
            return host

        joined("first", 2, "--cpus", 1, "--qpu", 0)
        joined("device", 3, "--cpus", 0, "--qpu", 1)
        submitting = time.time()
        job = head.json("submit", study)
        submitted = time.time()
        run = folder / "runs" / job["run"]
        alone = wait(run, 1, ITERATIONS_ALONE)
        began = iterations(run)[0]

        joining = time.time()
        second = joined("second", 4, "--cpus", 1, "--qpu", 0)
        up_after = time.time() - joining
        wait(run, 2, 1)
        together = wait(run, 2, ITERATIONS_TOGETHER)
        grown = next(each for each in iterations(run) if each["training/populations"] == 2)

        lost = time.time()
        second.switch_off()
        after = wait(run, 1, ITERATIONS_AFTER)
        shrunk = next(each for each in iterations(run) if each["time"] > lost and each["training/populations"] == 1)
        while (ended := head.json("status", job["run"]))["status"] in ("PENDING", "RUNNING"):
            time.sleep(5)
        log = head.json("logs", job["run"])["log"]
        if ended["status"] != "SUCCEEDED":
            raise RuntimeError(log)
        return {
            "on_the_device": [line for line in log.splitlines() if "spent" in line],
            "rate_alone": rate(alone),
            "rate_together": rate(together),
            "rate_after_loss": rate(after),
            "efficiency": rate(together) / (2 * rate(alone)),
            "seconds_submit_command": submitted - submitting,
            "seconds_submit_to_first_decision": began["time"] - began["training/seconds"] - submitting,
            "seconds_join_command": up_after,
            "seconds_join_to_first_batch": grown["time"] - joining,
            "seconds_loss_to_next_batch": shrunk["time"] - lost,
            "seconds_of_an_iteration": statistics.median(each["training/seconds"] for each in alone),
        }
    finally:
        for host in hosts:
            host.remove()
        ip("netns", "delete", SWITCH)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--study", default="breast_cancer", help="a preset")
    asked = parser.parse_args()
    from cluster.study.study import presets
    from qsynth.space.hyperparameters import SIZES

    values = yaml.safe_load(presets()[asked.study].read_text()) | STUDY
    # Only what leaves the cost of a trial alone, so that all iterations have the same work to do.
    tuned = values["trial"]["search_space"]
    values["trial"]["search_space"] = {name: one for name, one in tuned.items() if name not in SIZES}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the hosts are removed
    folder = Path(tempfile.mkdtemp(prefix="qsynth-hosts-"))
    try:
        (folder / "study.yaml").write_text(yaml.safe_dump(values))
        found = measure(str(folder / "study.yaml"), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found, indent=1))
    machine.write(asked.out, {"benchmark": "hosts", "study": asked.study, **found})


if __name__ == "__main__":
    main()

"""``qsynth tune`` as a user runs it, on an embedded Ray, for faults to be injected."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.chaos.records import Records, records
from tests.cluster.conftest import TINY

# The command, with less patience than a user's.
COMMAND = """
from cluster.cli.app import main
from cluster.training import training_loop
from cluster.tuning import agent_training
training_loop.RETURN_SECONDS, agent_training.CHECKPOINT_SECONDS = {patience}, 1.0
main()
"""
WAIT_SECONDS = 900.0
STEP_SECONDS = 25.0  # for a decision on a device


class TunedRun:
    """A tiny study's run in a folder of its own, with one population or two.

    Args:
        patience: seconds that lost populations have to come back.
        device: the engine's name; left out: the usual one.
        environment: variables that its processes have in addition.
    """

    def __init__(
        self,
        folder: Path,
        n_runners: int = 1,
        trials: int = 120,
        patience: float = 60.0,
        device: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.out, self._patience = folder, folder / "runs", patience
        self._environment = dict(environment or {})
        study = yaml.safe_load(yaml.safe_dump(TINY))
        study["resources"]["n_runners"] = n_runners
        study["budget"] |= {"agent_trials": trials, "search_share": 64 / trials}
        if device is not None:  # it is slower, so there is less to do
            study["trial"] |= {"engine": {"name": device}, "n_qubits": 2, "score": {"n_rows": 32, "utility": 0}}
            study["trial"]["capacity"] |= {"batch_size": 2, "n_critic": 1}
            study["trial"]["defaults"]["batch_size"] = 2
            study["trial"]["search_space"].pop("n_critic")
            study["episode"] |= {"iterations_per_decision": 1, "step_timeout_s": STEP_SECONDS}
            study["resources"]["n_lanes"] = 2
            study["budget"] |= {"search_share": 4 / trials, "held_out": 1, "random_runs": 1}
        (folder / "tiny.yaml").write_text(yaml.safe_dump(study))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Begin, or go on with ``--resume``."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_OUT"))
        }
        code = COMMAND.format(patience=self._patience)
        arguments = ("tune", "tiny.yaml", "--out", "runs", *options)
        with (self.folder / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", code, *arguments],
                env=kept | {"OMP_NUM_THREADS": "1"} | self._environment,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def process(self) -> psutil.Process:
        """The driver."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    @property
    def said(self) -> str:
        """What the latest attempt has written on standard error."""
        return (self.folder / "stderr").read_text(errors="replace")

    @property
    def path(self) -> Path:
        """The run's folder."""
        [study] = self.out.glob("*/study.yaml")
        return study.parent

    def journal(self) -> str:
        """All that was recorded so far."""
        return "".join(path.read_text(errors="replace") for path in self.out.glob("*/journal.jsonl"))

    def wait(self, condition: Callable[[], object]) -> float:
        """Wait until something is so; seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert self._process is not None
            assert self._process.poll() is None, self.said
            assert time.monotonic() - began < WAIT_SECONDS, self.said
            time.sleep(0.05)
        return time.monotonic() - began

    def steps(self) -> int:
        """The latest number of sampled decisions in the journal."""
        return max((each[2] for each in self._metrics() if each[1] == "training/sampled_steps"), default=0)

    def trains(self, beyond: int = 0) -> float:
        """Wait until the agent trains and has sampled more than so many decisions; seconds that it took."""
        return self.wait(lambda: self.steps() > beyond)

    def saved(self) -> None:
        """Wait for a checkpoint."""
        self.wait(lambda: list(self.out.glob("*/checkpoints/checkpoint-*/manifest.json")))

    def compares(self) -> None:
        """Wait until rivals have done something on held-out problems."""
        self.wait(lambda: any(path.stat().st_size for path in self.out.glob("*/stages/records.jsonl")))

    def _metrics(self) -> list[tuple[Any, ...]]:
        found = []
        for line in self.journal().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record["kind"] == "metrics":
                found += [(record["body"]["trial"], key, record["body"]["step"]) for key in record["body"]["metrics"]]
        return found

    def populations(self) -> list[psutil.Process]:
        """Processes that hold populations."""
        names = ("ray::PopulationRunner", "ray::PopulationWorker", "ray::JobWorker")
        found = []
        for child in self.process.children(recursive=True):
            try:
                if " ".join(child.cmdline()).startswith(names) or "agent-population" in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.Error:
                continue
        return found

    def kill_driver(self) -> None:
        """SIGKILL, and whatever its Ray left behind: that ends by itself, but holds memory for a while."""
        family = self.process.children(recursive=True)
        self.signal(signal.SIGKILL)
        self.ends(-signal.SIGKILL)
        for each in family:
            if each.is_running():
                each.kill()

    def signal(self, signum: int) -> None:
        """Send the driver a signal."""
        self.process.send_signal(signum)

    def ends(self, code: int) -> float:
        """Wait for the end; seconds that it took."""
        assert self._process is not None
        began = time.monotonic()
        found = self._process.wait(timeout=WAIT_SECONDS)
        assert found == code, self.said
        return time.monotonic() - began

    def records(self) -> Records:
        """Of the journal and of MLflow."""
        return records(self.path, self.out / "mlflow.db")

    def outcome(self) -> dict[str, Any]:
        """The rows that it made, and all that its result says but for its name, its place and how long it took."""
        result = json.loads((self.path / "result.json").read_text())
        rows = (self.path / "synthetic.csv").read_text()
        return {"rows": rows, "result": _without({"run", "paths", "seconds", "cpu_seconds"}, result)}


def _without(keys: set[str], value: Any) -> Any:
    """A JSON value without some keys, at any depth."""
    if isinstance(value, dict):
        return {key: _without(keys, each) for key, each in value.items() if key not in keys}
    return [_without(keys, each) for each in value] if isinstance(value, list) else value

"""A service under load for hours: many studies at once, then one after another.

    python -m tests.benchmarks.soak --minutes 120 --out tests/benchmarks/results/soak.json

Starts a service of its own with one driver, hands it ``--studies`` tiny studies at once, and, when these have ended,
one after another until the minutes are over. Every 20 s it looks at the memory of all the service's processes, and at
the memory and the open descriptors of each that lives as long as the service. Reported: whether studies began in the
order of their submission, what became of them and of their records, the most memory, and slopes over the time after
the first ``--settle`` minutes. The file is written anew every few minutes, so that an interrupted soak tells what it
has seen.
"""

import argparse
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from cluster.system.home import HOME
from tests.benchmarks import machine
from tests.benchmarks.soak_samples import Samples, thinned, trend
from tests.chaos.records import records
from tests.cluster.conftest import TINY
from tests.cluster.running import Running, free_ports

LIMIT_GIB = 24.0
SAMPLE_SECONDS, SAVE_SECONDS, LAST_SECONDS = 20.0, 180.0, 600.0
ENDED = ("STOPPED", "SUCCEEDED", "FAILED")


class Soaked(Running):
    """A service with one driver, and the studies that it was handed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.runs: list[str] = []  # as they were submitted
        self.states: dict[str, str] = {}
        for key in [key for key in os.environ if key.startswith(("RAY_", "MLFLOW_", "QSYNTH_"))]:
            del os.environ[key]
        os.environ[HOME] = self.environment[HOME]
        (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))

    def start(self) -> None:
        """``qsynth up`` at ports that are free."""
        port, dashboard, mlflow = free_ports(3)
        ports = "--port", port, "--dashboard-port", dashboard, "--mlflow-port", mlflow
        self.up = self.json("up", *ports, "--cpus", 1, "--drivers", 1, "--out", "runs")

    def submit(self) -> None:
        """One more study, as ``qsynth submit`` does it."""
        from cluster.service.jobs import Jobs
        from cluster.study.study import load_study

        name = f"soak-{len(self.runs):04}"
        Jobs(None).submit(load_study(str(self.folder / "tiny.yaml")), name)
        self.runs.append(name)

    def look(self) -> None:
        """Ask what became of the studies."""
        from cluster.service.jobs import Jobs

        self.states |= {job.run: job.status for job in Jobs(None).list()}

    @property
    def active(self) -> int:
        """How many have not ended."""
        return sum(self.states.get(run) not in ENDED for run in self.runs)

    def begun(self, run: str) -> int | None:
        """Milliseconds since the epoch of a run's first record; None before it."""
        journal = self.folder / "runs" / run / "journal.jsonl"
        if not journal.is_file() or not journal.stat().st_size:
            return None
        with journal.open() as file:
            return int(json.loads(file.readline())["time"])


def orders(times: list[int | None]) -> int:
    """How many studies began before one that was submitted earlier."""
    known = [each for each in times if each is not None]
    return sum(later < earlier for earlier, later in pairwise(known))


def found_of(
    service: Soaked, samples: Samples, at_once: int, first_ended: float | None, settle: float
) -> dict[str, Any]:
    """All that was seen so far."""
    ended = [run for run in service.runs if service.states.get(run) in ENDED]
    database = service.folder / "runs" / "mlflow.db"
    each = [records(service.folder / "runs" / run, database) for run in ended if service.begun(run) is not None]
    with closing(sqlite3.connect(database)) as store:
        [[running]] = store.execute("select count(*) from runs where status in ('RUNNING', 'SCHEDULED')").fetchall()
    times = [service.begun(run) for run in service.runs]
    begun = [time for time in times if time is not None]
    after = 60 * settle
    processes: dict[str, Any] = {}
    for name, lives in sorted(samples.series.items()):
        last = lives[-1]
        processes[name] = {
            "started": len(lives),
            "mib": trend(last.seconds, last.mib, after),
            "descriptors": trend(last.seconds, [float(count) for count in last.descriptors], after),
            "mib_over_time": thinned(last.seconds, last.mib, 12),
        }
    most = max(samples.resident_mib) / 1024
    return {
        "minutes": round(samples.seconds[-1] / 60, 1),
        "settle_minutes": settle,
        "studies": {
            "at_once": at_once,
            "minutes_until_these_ended": first_ended and round(first_ended / 60, 1),
            "submitted": len(service.runs),
            "succeeded": sum(service.states.get(run) == "SUCCEEDED" for run in service.runs),
            "failed": sum(service.states.get(run) == "FAILED" for run in service.runs),
            "stopped": sum(service.states.get(run) == "STOPPED" for run in service.runs),
            "lost": sum(run not in service.states for run in service.runs),
            "begun": len(begun),
            "began_out_of_order": orders(times),
            "median_seconds_between_beginnings": _median([(b - a) / 1000 for a, b in pairwise(begun)]),
        },
        "records": {
            "metrics": sum(len(one.journal) for one in each),
            "lost": sum(one.lost for one in each),
            "duplicates": sum(one.duplicates for one in each),
            "orphan_runs": running if service.active == 0 else sum(one.orphans for one in each),
        },
        "memory": {
            "limit_gib": LIMIT_GIB,
            "most_gib_resident": round(most, 2),
            "most_gib_proportional": round(max(samples.proportional_mib) / 1024, 2),
            "within": most <= LIMIT_GIB,
            "resident_mib": trend(samples.seconds, samples.resident_mib, after),
            "resident_mib_over_time": thinned(samples.seconds, samples.resident_mib, 40),
        },
        "processes": processes,
    }


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def soak(service: Soaked, minutes: float, at_once: int, settle: float, out: Path) -> dict[str, Any]:
    """Hand studies to the service until the minutes are over and the last study has ended."""
    from cluster.service.service import Service

    for _ in range(at_once):
        service.submit()
    print(f"{at_once} studies are submitted", flush=True)
    samples = Samples(Path(service.environment[HOME]))
    began, saved, first_ended = time.monotonic(), time.monotonic(), None
    while True:
        tick = time.monotonic()
        kept = Service.kept()
        samples.take(kept.processes.values() if kept else [])
        service.look()
        passed, active = time.monotonic() - began, service.active
        if active == 0 and first_ended is None:
            first_ended = passed
            print(f"{at_once} have ended after {passed / 60:.0f} min", flush=True)
        if tick - saved > SAVE_SECONDS:
            found = found_of(service, samples, at_once, first_ended, settle)
            machine.write(out, found)
            saved = tick
            studies = found["studies"]
            print(
                f"{found['minutes']:6.1f} min: {studies['succeeded']} of {studies['submitted']} succeeded, "
                f"{studies['failed']} failed; {samples.resident_mib[-1] / 1024:.2f} GiB",
                flush=True,
            )
        over = passed > 60 * minutes
        if over and (active == 0 or passed > 60 * minutes + LAST_SECONDS):
            return found_of(service, samples, at_once, first_ended, settle)
        if active == 0 and not over:
            service.submit()
        time.sleep(max(0.0, SAMPLE_SECONDS - (time.monotonic() - tick)))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--studies", type=int, default=50, help="that are submitted at once")
    parser.add_argument("--settle", type=float, default=20.0, help="minutes that slopes leave out")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the service is ended
    with tempfile.TemporaryDirectory(prefix="qsynth-soak-") as folder:
        service = Soaked(Path(folder))
        try:
            service.start()
            found = soak(service, asked.minutes, asked.studies, asked.settle, asked.out)
        finally:
            service.json("down")
        machine.write(asked.out, found)
    print("done", flush=True)


if __name__ == "__main__":
    main()

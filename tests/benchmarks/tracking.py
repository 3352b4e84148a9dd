"""What recording costs training, and how much of it MLflow takes.

    python -m tests.benchmarks.tracking --out tests/benchmarks/results/tracking.json

A tracker on an ``mlflow server`` of this machine (sqlite) is given records of ten metrics as fast as a loop of training
iterations could make them, with a pause of a millisecond in between: how long a call takes (it appends to the journal,
and a thread delivers), how many metrics a second the server stores, and how long it lags behind at the end.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

from cluster.tracking.tracker import Tracker
from tests.benchmarks import machine

RECORDS, METRICS, PAUSE = 3000, 10, 0.001


def serve(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """An MLflow server, and its address once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--artifacts-destination={folder}/artifacts"
    command = [sys.executable, "-m", "mlflow", "server", "--workers=1", f"--port={port}", *store]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return server, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.3)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server, uri = serve(Path(name))
        try:
            tracker = Tracker(Path(name) / "run", uri, "benchmark", "tracking")
            tracker.start_study({}, {})
            seconds = []
            began = time.perf_counter()
            for step in range(RECORDS):
                before = time.perf_counter()
                tracker.log({f"training/value_{index}": step + index for index in range(METRICS)}, step=step)
                seconds.append(time.perf_counter() - before)
                time.sleep(PAUSE)
            given = time.perf_counter() - began
            left = tracker.close("FINISHED")
            stored = time.perf_counter() - began
        finally:
            server.terminate()
            server.wait()
    p50, p99, worst = (1e3 * float(value) for value in np.quantile(seconds, [0.5, 0.99, 1.0]))
    result = {
        "call_ms": {"p50": p50, "p99": p99, "worst": worst},
        "records_per_second_given": RECORDS / given,
        "metrics_per_second_stored": (RECORDS * METRICS - left) / stored,
        "seconds_behind_at_the_end": stored - given,
        "records_left": left,
    }
    print(result)
    machine.write(asked.out, {"benchmark": "tracking", **result})


if __name__ == "__main__":
    main()

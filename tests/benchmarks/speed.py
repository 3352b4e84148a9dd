"""CPU time of one GAN iteration of one trial, against peers and against the floor, in one run.

    python -m tests.benchmarks.speed --out tests/benchmarks/results/speed.json
    python -m tests.benchmarks.speed --out tests/benchmarks/results/speed.json --add --methods JAX --qubits 4
    python -m tests.benchmarks.report tests/benchmarks/results/speed.json

Peers come with ``pip install -e '.[benchmarks]'``; one that is missing is skipped with a reason. Every measurement is a
process of its own on one core with one thread. What counts is the process's CPU time, so other load matters little.
Before it is timed, each peer must give qsynth's fake rows and gradients on an example (:mod:`peers.problem`). A loop
over trials costs the same per trial whatever their number, so peers without lanes are measured with one.
"""

import argparse
import importlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.benchmarks import floor, machine

QUBITS, LANES = (2, 4, 6, 8, 10, 12), (1, 16, 64, 256)
GIB = 2**30
MAX_BYTES, MAX_ITERATION_S, MAX_CPU_S = 12 * GIB, 120.0, 900.0
ROUNDS, ROUND_S = 5, 1.0
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class Method(NamedTuple):
    """Where a trainer is made, whether it takes many lanes, and whether it has a critic."""

    module: str
    maker: str
    lanes: bool
    critic: bool = True


METHODS = {
    "qsynth compiled": Method("population", "compiled", True),
    "qsynth compiled without a critic": Method("population", "critic_free", True, critic=False),
    "qsynth eager": Method("population", "eager", True),
    "JAX": Method("jax_loop", "JaxLoop", True),
    "JAX without a critic": Method("jax_loop", "JaxCriticFree", True, critic=False),
    "default.qubit": Method("pennylane_loop", "default_qubit", False),
    "lightning.qubit": Method("pennylane_loop", "lightning_qubit", False),
    "pyqtorch": Method("pyqtorch_loop", "pyqtorch", False),
}


def measure(name: str, n_qubits: int, n_lanes: int) -> dict[str, Any]:
    """One measurement, in this process: CPU milliseconds per iteration and trial, and CPU seconds of the first one
    over the others, which are those of compiling."""
    import warnings

    warnings.simplefilter("ignore")
    import torch

    from tests.benchmarks.peers.problem import Peer, Skip, check

    torch.set_num_threads(1)
    method = METHODS[name]
    try:
        trainer = getattr(importlib.import_module(f"tests.benchmarks.peers.{method.module}"), method.maker)(
            n_qubits, n_lanes
        )
    except Skip as reason:
        return {"skipped": str(reason)}
    began = _cpu_seconds()
    trainer.iterate(1)
    first = _cpu_seconds() - began
    began = _cpu_seconds()
    trainer.iterate(1)
    second = _cpu_seconds() - began
    count = max(1, min(100, int(ROUND_S / second)))
    rounds = []
    for _ in range(ROUNDS if second < 10 else 1):
        began = _cpu_seconds()
        trainer.iterate(count)
        rounds.append((_cpu_seconds() - began) / count)
    if isinstance(trainer, Peer):
        check(trainer, n_qubits, critic=method.critic)
    return {
        "ms": 1e3 * statistics.median(rounds) / n_lanes,
        "ms_best": 1e3 * min(rounds) / n_lanes,
        "compile_s": max(0.0, first - second) if "compiled" in name or "JAX" in name else 0.0,
        "peak_gib": _peak_bytes() / GIB,
    }


def _peak_bytes() -> int:
    """Of this process alone; ``ru_maxrss`` would start at its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _cpu_seconds() -> float:
    """Of this process and of the compilers that it started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def in_process(name: str, n_qubits: int, n_lanes: int, cache: str) -> dict[str, Any]:
    """One measurement in a process of its own, given up when it takes too much memory or time."""
    command = [sys.executable, "-m", __spec__.name, "--one", name, str(n_qubits), str(n_lanes)]
    environment = os.environ | ONE_THREAD | {"QSYNTH_CACHE_DIR": cache}
    core = sorted(os.sched_getaffinity(0))[-1]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as failed:
        child = psutil.Popen(command, env=environment, stdout=said, stderr=failed)
        child.cpu_affinity([core])
        reason = ""
        while child.poll() is None and not reason:
            time.sleep(0.2)
            try:
                used, spent = child.memory_info().rss, sum(child.cpu_times()[:4])
            except psutil.NoSuchProcess:
                break
            if used > MAX_BYTES:
                reason = f"more than {MAX_BYTES // GIB} GiB"
            elif spent > MAX_CPU_S:
                reason = f"more than {MAX_CPU_S / 60:.0f} minutes"
        if reason:
            for process in [*child.children(recursive=True), child]:
                process.kill()
        child.wait()
        said.seek(0)
        failed.seek(0)
        if not reason and child.returncode == 0:
            return dict(json.loads(said.read().splitlines()[-1]))
        return {"skipped": reason or f"failed: {failed.read().strip().splitlines()[-1:]}"}


def run(names: list[str], qubits: list[int], lanes: list[int]) -> list[dict[str, Any]]:
    """All measurements, with machine code compiled afresh."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for n_qubits in qubits:
            for name in names:
                iteration_s, hopeless = 0.0, ""
                for n_lanes in lanes if METHODS[name].lanes else [1]:
                    expected = iteration_s * n_lanes
                    if expected > MAX_ITERATION_S:
                        hopeless = f"an iteration would take {expected:.0f} s"
                    found = {"skipped": hopeless} if hopeless else in_process(name, n_qubits, n_lanes, cache)
                    iteration_s = found.get("ms", 0.0) / 1e3
                    hopeless = found.get("skipped", "")
                    rows.append({"method": name, "n_qubits": n_qubits, "n_lanes": n_lanes} | found)
                    print(rows[-1], flush=True)
    return rows


def added(rows: list[dict[str, Any]], former: dict[str, Any], date: str) -> dict[str, Any]:
    """A former result with its rows replaced by those that were measured again, or for the first time, at ``date``."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["method"], row["n_qubits"], row["n_lanes"]

    new = {key(row): row | {"date": date} for row in rows}
    kept = [new.pop(key(row), row) for row in former["rows"]]
    return former | {"rows": [*kept, *new.values()]}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--qubits", nargs="+", type=int, default=list(QUBITS))
    parser.add_argument("--lanes", nargs="+", type=int, default=list(LANES))
    parser.add_argument("--add", action="store_true", help="keep the rows of --out that are not measured again")
    asked = parser.parse_args()
    roofs = machine.roofs()
    rows = run(asked.methods, asked.qubits, asked.lanes)
    if asked.add:
        former = json.loads(asked.out.read_text())
        asked.out.write_text(json.dumps(added(rows, former, machine.describe()["date"]), indent=1) + "\n")
        return
    floors = {n: floor.floor(n) for n in asked.qubits}
    machine.write(
        asked.out,
        {
            "benchmark": "speed",
            "roofs": roofs,
            "floor": {n: f._asdict() | {"ms": f.milliseconds(**roofs)} for n, f in floors.items()},
            "rows": rows,
        },
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()

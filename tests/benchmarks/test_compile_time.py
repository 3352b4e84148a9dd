"""Wall time until two new processes have their programs compiled: `pytest tests/benchmarks -m benchmark -o addopts=""`.

The processes share the work on a study's preset, as two environment runners do: cold with an empty cache, then warm.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

# Prints the seconds of each compilation by its program's name, of all start-up since the imports, and CPU seconds.
WORKER = """
import json, resource, sys, time
import torch
from cluster.study.study import load_study
from qsynth.execution import compilation
from rl_envs.config import make_tuner

torch.set_num_threads(1)
programs, compile_ = {}, compilation._compile

def timed(function, arguments, inputs, path):
    start = time.perf_counter()
    compile_(function, arguments, inputs, path)
    programs[path.stem.partition("-")[0]] = round(time.perf_counter() - start, 2)

compilation._compile = timed
study = load_study(sys.argv[1])
start = time.perf_counter()
make_tuner(study.environment(True), study.resources.n_lanes)
seconds = time.perf_counter() - start
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = [round(each.ru_utime + each.ru_stime, 2) for each in usage]
print(json.dumps({"programs": programs, "seconds": round(seconds, 2), "cpu": cpu}))
"""


@pytest.mark.parametrize("preset", ["breast_cancer"])
def test_two_processes_start(benchmark, preset: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    environment = os.environ | {
        "QSYNTH_CACHE_DIR": str(tmp_path / "qsynth"),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor"),
        "TMPDIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }

    def start() -> list[dict[str, object]]:
        command = [sys.executable, "-c", WORKER, preset]
        workers = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
        return [json.loads(worker.communicate()[0]) for worker in workers]

    cold = benchmark.pedantic(start, rounds=1)
    compiled = [name for worker in cold for name in worker["programs"]]
    assert sorted(compiled) == ["critic_batches", "critic_step", "generator_step", "qnn_step"]
    warm = start()
    assert not any(worker["programs"] for worker in warm)
    benchmark.extra_info |= {"cold": cold, "warm": warm}
    print(json.dumps(benchmark.extra_info, indent=1))

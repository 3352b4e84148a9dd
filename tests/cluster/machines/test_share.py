"""How studies divide a cluster, and how populations come and go while one runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster.machines.session import plan_runners
from cluster.machines.share import claims_of, presence_name
from cluster.study.placement import Placement, divide, parts
from cluster.study.study import Study
from qsynth.config import parse
from qsynth.errors import QsynthError

SCRIPT = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from cluster.system.environment import prepare_process
prepare_process()
import ray
from dataclasses import replace
from cluster.training.agent_trainer import AgentTrainer
from cluster.machines.private_ray import private_ray
from cluster.machines.share import ClusterShare
from cluster.study.study import load_study
from cluster.machines.population_pool import WorkerPool
from rl_envs.agents import Hold
from rl_envs.rollout import Assignment

study = load_study(sys.argv[1])
environment, (kind, small) = study.environment(False), study.placements()
stack = ExitStack()
stack.enter_context(private_ray(num_cpus=3, resources={"qpu": 1}))
found = {}

def counts(share):
    return list(share().values())

mine = ClusterShare("mine", [kind])
found["alone"] = counts(mine)
yours = ClusterShare("yours", [replace(kind, most=1)])
found["of two"] = counts(mine) + counts(yours)
device = ClusterShare("device", [replace(kind, qpus=1)])
found["beside a device's"] = counts(mine) + counts(device)
del yours, device
both = ClusterShare("both", [replace(kind, most=1), small])
found["of two kinds"] = counts(both)
found["beside two kinds"] = counts(mine)
del both
colons = ClusterShare("a:share:b", [kind])
found["beside a name with colons"] = counts(mine) + counts(colons)
del colons

trainer = AgentTrainer(study.agent, environment, {kind: 1}, 1.0, 0, "mine")
sizes, steps = [], []
for size in ({kind: 1}, {kind: 3}, {kind: 2}, {kind: 1, small: 2}, {small: 2}, {kind: 2}):
    trainer.resize(size)
    steps.append(-trainer.sampled_steps)
    progress = trainer.train()
    sizes.append(trainer.sizes == size)
    steps[-1] += trainer.sampled_steps
names = trainer._algorithm.env_runner_group.foreach_env_runner(repr, local_env_runner=False)
found["entropies"] = sorted(progress.entropies)
found |= {"sizes": sizes, "steps": steps, "names": names}
weights = trainer._algorithm.env_runner_group.foreach_env_runner(
    lambda runner: float(sum(p.sum() for p in runner.module.parameters())), local_env_runner=False
)
found["same weights"] = max(weights) - min(weights) < 1e-5
trainer.stop()

class Shrinking:
    asked = 0
    def __call__(self):
        self.asked += 1
        return {kind: 1, small: 1} if self.asked == 1 else {kind: 2, small: 1} if self.asked < 6 else {kind: 1}

pool = WorkerPool(environment, Shrinking(), "pool")
wave = [Assignment(environment.data.instance(index % 4, held_out=False), index) for index in range(16)]
found["played"] = [episode.snapshot.seed for episode in pool.play(lambda _: Hold(), wave, snapshots=True)]
found["left"] = [worker == kind for worker in pool._workers.values()]
found["timed"] = set(pool.seconds) == {kind, small}
pool.stop()
pool = WorkerPool(study.environment(True), lambda: {kind: 2}, "uncompiled")
found["uncompiled"] = [len(pool.features()) > 3, len(pool.play(lambda _: Hold(), wave[:2]))]
pool.stop()
print(json.dumps(found))
"""


@given(st.integers(0, 40), st.dictionaries(st.text("abc", min_size=1), st.integers(0, 12), min_size=1, max_size=6))
def test_parts_are_fair(total: int, wishes: dict[str, int]) -> None:
    parts = divide(total, wishes)
    assert set(parts) == set(wishes)
    assert sum(parts.values()) == min(total, sum(wish or total for wish in wishes.values()))
    for name, part in parts.items():
        assert 0 <= part <= (wishes[name] or total)
        # Whoever got less than it wants got no less than the rest, but for what can't be divided.
        if part < (wishes[name] or total):
            assert part >= max(parts.values()) - 1


@pytest.mark.timeout(600)
def test_populations_come_and_go(tmp_path: Path, tiny: dict[str, Any]) -> None:
    tiny["resources"]["n_runners"] = None
    tiny["resources"] |= {"n_lanes": 2, "beside": [{"n_lanes": 1}]}
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(tiny))
    cannot_compile = {"CXX": "/bin/false", "QSYNTH_CACHE_DIR": str(tmp_path / "cache")}
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | cannot_compile
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)], env=environment, capture_output=True, text=True, timeout=580
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    # A device's population takes a CPU too.
    assert (found["alone"], found["of two"], found["beside a device's"]) == ([3], [2, 1], [1, 1])
    assert (found["of two kinds"], found["beside two kinds"]) == ([1, 1], [1])
    assert sorted(found["beside a name with colons"]) == [1, 2]
    assert all(found["sizes"])
    lane = 3  # decisions of an episode; a batch is as large as the first one was, or larger
    assert found["steps"] == [2 * lane, 6 * lane, 4 * lane, 4 * lane, 2 * lane, 4 * lane]
    assert sorted(found["names"]) == ["mine:agent-population-1", "mine:agent-population-2"]
    assert found["same weights"]
    assert found["entropies"] == ["lr_generator", "n_critic"]
    assert found["uncompiled"] == [True, 2]
    [warning] = [line for line in result.stderr.splitlines() if "can't compile" in line]
    assert warning.endswith("computing eagerly, which is several times slower")
    assert (found["played"], found["left"], found["timed"]) == (list(range(16)), [True], True)


@pytest.mark.parametrize("run", ["plain", "a:b", ":", "a:share:b", "a:share:01:CPU*0*1", "two\nlines:"])
def test_claims_are_read_off_any_runs_name(run: str) -> None:
    kinds = [
        Placement(place="cpu", n_lanes=8, gpus=0.0, qpus=0, memory=100, most=3),
        Placement(place="cuda", n_lanes=8, gpus=0.25, qpus=0, memory=100, most=None),
        Placement(place="cpu", n_lanes=8, gpus=0.0, qpus=1, memory=100, most=1),
    ]
    found = claims_of(presence_name(run, "01000000", kinds))
    assert [(each.place, each.gpus, each.qpus, each.most) for each in found] == [
        (each.place, each.gpus, each.qpus, each.most) for each in kinds
    ]
    for other in ("agent-population-1", "population-0", "device"):
        assert claims_of(f"{run}:{other}") == []


def study(values: dict[str, Any], **resources: object) -> Study:
    values["resources"] |= resources
    return parse(Study, values, source="test")


def test_a_part_of_a_gpu(tiny: dict[str, Any]) -> None:
    made = study(tiny, place="cuda", n_runners=None, gpus_per_runner=0.25)
    assert list(plan_runners(made, {"CPU": 16, "GPU": 2}).values()) == [8]
    assert list(plan_runners(made, {"CPU": 3, "GPU": 2}).values()) == [3]
    assert made.placements()[0].options()["num_gpus"] == 0.25
    with pytest.raises(QsynthError, match=r"resources\.gpus_per_runner: .*less than or equal to 1"):
        study(tiny, gpus_per_runner=1.5)


def test_memory_limits_populations(tiny: dict[str, Any]) -> None:
    made = study(tiny, n_runners=None)
    each = made.placements()[0].memory
    assert list(plan_runners(made, {"CPU": 8, "memory": 3.5 * each}).values()) == [3]
    with pytest.raises(QsynthError, match=r"n_runners must be at most 0, .* of memory of the cluster's; no population"):
        plan_runners(made, {"CPU": 8, "memory": each - 1})
    with pytest.raises(QsynthError, match=r"n_runners must be at most 8, .* a CPU of the cluster's; got 9"):
        plan_runners(study(tiny, n_runners=9), {"CPU": 8})


def test_large_populations_on_gpus_and_small_ones_on_cpus(tiny: dict[str, Any]) -> None:
    made = study(tiny, place="cuda", n_runners=None, n_lanes=512, beside=[{"n_lanes": 8}])
    large, small = made.placements()
    assert (large.gpus, large.n_lanes, small.gpus, small.n_lanes) == (1.0, 512, 0.0, 8)
    assert small.memory > large.memory  # its states are on the host
    assert plan_runners(made, {"CPU": 16, "GPU": 2}) == {large: 2, small: 14}
    with pytest.raises(QsynthError, match="n_runners must be at most 0, as each population of 8 trials takes a CPU"):
        plan_runners(made, {"CPU": 2, "GPU": 2})
    with pytest.raises(QsynthError, match=r"resources\.place must be cpu on a cluster without a GPU"):
        plan_runners(made, {"CPU": 16})
    compiled = made.environment(True)
    assert (compiled.at("cuda").compiled, compiled.at("cpu").compiled) == (False, True)


def test_studies_divide_a_cluster_of_several_resources(tiny: dict[str, Any]) -> None:
    large, small = study(tiny, place="cuda", n_runners=None, beside=[{"n_lanes": 8}]).placements()
    cluster = {"CPU": 16.0, "GPU": 4.0}
    assert parts({"a": large, "b": small}, cluster) == {"a": 4, "b": 12}
    assert parts({"a": large, "b": small, "c": large, "d": small}, cluster) == {"a": 2, "b": 6, "c": 2, "d": 6}
    assert parts({"a": large, "b": small}, {"CPU": 16.0}) == {"a": 0, "b": 16}


def test_kinds_of_populations_differ(tiny: dict[str, Any]) -> None:
    with pytest.raises(QsynthError, match="beside must name populations of another n_lanes or place"):
        study(tiny, beside=[{"n_lanes": tiny["resources"]["n_lanes"]}])

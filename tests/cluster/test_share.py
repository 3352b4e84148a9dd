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

from cluster.runtime import plan_runners
from cluster.share import divide
from cluster.study import Study
from qsynth.config import parse
from qsynth.errors import QsynthError

SCRIPT = """
import json, sys
from pathlib import Path
from cluster.process import prepare_process
prepare_process()
import ray
from cluster.placement import Placement
from cluster.ppo import AgentTrainer
from cluster.share import Share
from cluster.study import load_study
from cluster.workers import WorkerPool
from rl_envs.agents import Hold
from rl_envs.rollout import Assignment

study = load_study(sys.argv[1])
environment, lanes = study.environment(False), study.resources.n_lanes
ray.init("local", include_dashboard=False, num_cpus=3, resources={"qpu": 1}, log_to_driver=False, logging_level="ERROR")
found = {}

mine = Share("mine", study.placement())
found["alone"] = mine()
yours = Share("yours", Placement(gpus=0.0, qpus=0, memory=1, most=1))
found["of two"] = [mine(), yours()]
device = Share("device", Placement(gpus=0.0, qpus=1, memory=1, most=None))
found["beside a device's"] = [mine(), device()]
del yours, device

trainer = AgentTrainer(study.agent, environment, mine.placement, 1, lanes, 1.0, 0, "mine")
sizes, steps = [], []
for size in (1, 3, 2):
    trainer.resize(size)
    trainer.train()
    sizes.append(trainer.n_runners)
    steps.append(trainer.sampled_steps)
names = trainer._algorithm.env_runner_group.foreach_env_runner(repr, local_env_runner=False)
found |= {"sizes": sizes, "steps": steps, "names": names}
weights = trainer._algorithm.env_runner_group.foreach_env_runner(
    lambda runner: float(sum(p.sum() for p in runner.module.parameters())), local_env_runner=False
)
found["same weights"] = max(weights) - min(weights) < 1e-5
trainer.stop()

class Shrinking:
    placement, asked = mine.placement, 0
    def __call__(self):
        self.asked += 1
        return 2 if self.asked == 1 else 3 if self.asked < 6 else 1

pool = WorkerPool(environment, Shrinking(), lanes, "pool")
wave = [Assignment(environment.data.instance(index % 4, False), index) for index in range(lanes * 8)]
found["played"] = [episode.snapshot.seed for episode in pool.play(lambda _: Hold(), wave, snapshots=True)]
found["left"] = len(pool._workers)
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
    tiny["resources"]["n_lanes"] = 2
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(tiny))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RAY_AUTH_MODE": "disabled"}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)], env=environment, capture_output=True, text=True, timeout=580
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert (found["alone"], found["of two"], found["beside a device's"]) == (3, [2, 1], [2, 1])
    assert found["sizes"] == [1, 3, 2]
    one = 2 * 3  # lanes x decisions of a population's episode
    assert found["steps"] == [one, 4 * one, 6 * one]
    assert sorted(found["names"]) == ["mine:agent-population-1", "mine:agent-population-2"]
    assert found["same weights"]
    assert (found["played"], found["left"]) == (list(range(16)), 1)


def study(values: dict[str, Any], **resources: object) -> Study:
    values["resources"] |= resources
    return parse(Study, values, source="test")


def test_a_part_of_a_gpu(tiny: dict[str, Any]) -> None:
    made = study(tiny, place="cuda", n_runners=None, gpus_per_runner=0.25)
    assert plan_runners(made, {"CPU": 16, "GPU": 2}) == 8
    assert plan_runners(made, {"CPU": 3, "GPU": 2}) == 3
    assert made.placement().options()["num_gpus"] == 0.25
    with pytest.raises(QsynthError, match=r"resources\.gpus_per_runner: .*less than or equal to 1"):
        study(tiny, gpus_per_runner=1.5)


def test_memory_limits_populations(tiny: dict[str, Any]) -> None:
    made = study(tiny, n_runners=None)
    each = made.placement().memory
    assert plan_runners(made, {"CPU": 8, "memory": 3.5 * each}) == 3
    with pytest.raises(QsynthError, match=r"n_runners must be at most 0, .* of memory of the cluster's; no population"):
        plan_runners(made, {"CPU": 8, "memory": each - 1})
    with pytest.raises(QsynthError, match=r"n_runners must be at most 8, .* a CPU of the cluster's; got 9"):
        plan_runners(study(tiny, n_runners=9), {"CPU": 8})

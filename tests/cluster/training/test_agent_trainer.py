"""An agent's training that was interrupted ends where another one does."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from qsynth.rng import derived_seed
from tests.cluster.conftest import TINY

ROOT = Path(__file__).parents[3]
CODE = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from cluster.system.environment import prepare_process
prepare_process()
import ray
from cluster.machines.private_ray import private_ray
from cluster.study.study import load_study
from cluster.training.agent_trainer import AgentTrainer

study, folder = load_study(sys.argv[1]), Path(sys.argv[2])
environment, [kind] = study.environment(False), study.placements()
stack = ExitStack()
stack.enter_context(private_ray(num_cpus=2))

def trainer(seed):
    return AgentTrainer(study.agent, environment, {kind: 2}, 1.0, seed, "repeated")

def weights(trainer):
    return [float(value) for part in trainer.network().state_dict().values() for value in part.flatten()]

def seeds(trainer):
    runners = trainer._algorithm.env_runner_group
    return runners.foreach_env_runner(lambda runner: runner._seed, local_env_runner=False)

def returns(progress):
    return progress.mean_return, progress.mean_score

first = trainer(7)
found = {"untrained": weights(first)}
first.train()
found["seeds"] = seeds(first)
first.save(folder)
counters, found["before"] = first.counters(), weights(first)
second = returns(first.train())
found["undisturbed"] = weights(first)
found["seeds"] += seeds(first)
first.train()
found["undisturbed, one more"] = weights(first)
first.stop()

resumed = trainer(7)
resumed.restore(folder, counters)
found["same returns"] = returns(resumed.train()) == second
found["resumed"] = weights(resumed)
resumed._runners.restart()  # all are killed
empty = resumed.train()
found["empty"] = empty.empty
while not resumed.is_sampling() or len(resumed._algorithm.env_runner_group.healthy_env_runner_ids()) < 2:
    pass
resumed.train()
found["lost populations"] = weights(resumed)
resumed.stop()

print(json.dumps(found))
stack.close()
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Weights of policies, in the order of what happened."""
    folder = tmp_path_factory.mktemp("repeated")
    study = yaml.safe_load(yaml.safe_dump(TINY))
    study["resources"] = {"n_lanes": 2, "n_runners": 2}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(folder / "tiny.yaml"), str(folder / "checkpoint")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_a_training_that_goes_on_from_a_checkpoint_ends_as_one_that_went_on(found: dict[str, Any]) -> None:
    assert found["untrained"] != found["before"] != found["undisturbed"]
    assert found["resumed"] == found["undisturbed"]
    assert found["same returns"]


def test_populations_that_come_back_sample_what_those_that_were_lost_would_have(found: dict[str, Any]) -> None:
    assert found["empty"] == 1
    assert found["lost populations"] == found["undisturbed, one more"] != found["undisturbed"]


def test_seeds_are_independent_of_each_other(found: dict[str, Any]) -> None:
    assert len(set(found["seeds"])) == 4
    assert len({derived_seed(*each) for each in product((0, 1), (1, 2), (0, 1), (0, 1))}) == 16
    assert derived_seed(7, 1, 2, 0) == derived_seed(7, 1, 2, 0)

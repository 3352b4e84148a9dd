"""CTGAN and TVAE as arms of an experiment: they join the cells of a folder.

    qsynth experiment rows --out FOLDER
    python -m tests.benchmarks.published_rows FOLDER --rivals PYTHON [--regime 1:10]

PYTHON is the interpreter of an environment with ctgan (:mod:`tests.benchmarks.published_synthesizers`). Each learns
the real rows, scaled as the QNN sees them, with their class as a column, with its own settings. It makes rows as they
come; of each class the first are taken, again and again where they are fewer than asked for, and where there are none,
rows of any class.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
import torch

import rl_envs.agent_rows  # noqa: F401  registers the agent's rows, which the folder has
from qsynth.experiment.experiment import ExperimentFolder, keys, run
from qsynth.experiment.plan import load_plan
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Role, Setting
from qsynth.experiment.task import Task

PLAN, TARGET, MANY = "rows", "class", 10
NAMES = ("CTGAN", "TVAE")
INTERPRETER: list[str] = []  # of the environment that has them, as main() was given it


@dataclass(frozen=True)
class PublishedRows:
    """Rows of a published synthesizer."""

    name: str
    about: str = "joint model of the real rows and their class, its own settings"
    role: Role = "yardstick"

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows of each task."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, task in enumerate(tasks):
                real = task.instance.train
                frame = pd.DataFrame(real.x, columns=[f"x{i}" for i in range(real.x.shape[1])])
                frame.assign(**{TARGET: [f"c{label}" for label in real.y]}).to_csv(
                    folder / f"{number}.csv", index=False
                )
                job = {"discrete": [TARGET], "rows": MANY * len(labels), "seed": task.seed}
                (folder / f"{number}.json").write_text(json.dumps(job))
            script = Path(__file__).with_name("published_synthesizers.py")
            subprocess.run([*INTERPRETER, script, folder, "--only", self.name], check=True)
            return [
                chosen(pd.read_csv(folder / f"{number}.{self.name}.out"), labels, task.seed)
                for number, task in enumerate(tasks)
            ]


def chosen(made: pd.DataFrame, labels: Labels, seed: int) -> Floats:
    """Of the rows that were made, those of classes ``labels`` (``n``); ``n x d``."""
    random = np.random.default_rng([seed, 12])
    x, y = made.drop(columns=TARGET).to_numpy(np.float32), made[TARGET].to_numpy(str)
    rows = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        own = np.flatnonzero(y == f"c{label}")
        asked = np.flatnonzero(labels == label)
        rows[asked] = np.resize(own, len(asked)) if len(own) else random.integers(len(y), size=len(asked))
    return x[rows]


for _name in NAMES:
    ROW_SYNTHESIZERS.register(_name)(PublishedRows(_name))


def main() -> None:
    """Add both to the cells of a regime."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rivals", required=True, help="python of the environment with ctgan")
    parser.add_argument("--regime", default="1:10")
    given = parser.parse_args()
    torch.set_num_threads(1)
    INTERPRETER.append(given.rivals)
    plan = load_plan(PLAN)
    others = {arm.name for arm in plan.all_arms()}
    plan = plan.replaced(arms=(*plan.arms, *NAMES))
    folder = ExperimentFolder(given.folder, plan)
    for key in keys(plan):
        present = set(folder.missing().get(key, NAMES))
        if plan.regimes[key.regime].title == given.regime and not present >= set(NAMES):
            folder.keep(key, run(plan, key, without=others | present))
            print(f"{key.data}: done", flush=True)


if __name__ == "__main__":
    main()

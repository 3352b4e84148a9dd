"""Which of the GAN's hyperparameters the accuracy of a QNN that learns its rows depends on.

    python -m tests.benchmarks.importance [--out tests/benchmarks/results]

The data sets of ``qsynth experiment rows``, 1:10, ten draws of the real rows each, eight quantum GANs on each draw
under constants drawn from the presets' search space. A QNN learns the real rows and 200 of each GAN's, as in the
experiment; its balanced accuracy on the test rows is regressed on the hyperparameters, within a draw
(:func:`qsynth.experiment.importance.regress`). Written down before it ran.
"""

import argparse
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch

import rl_envs.agent_rows  # noqa: F401  the plan names the agent's rows
from qsynth.data.labels import stratified
from qsynth.data.tabular import PartitionedTable
from qsynth.experiment.arms import SyntheticArm
from qsynth.experiment.cell import balanced_mean
from qsynth.experiment.fits import outcomes
from qsynth.experiment.importance import Regression, importance_picture, regress
from qsynth.experiment.plan import load_plan
from qsynth.experiment.regime import Imbalance
from qsynth.experiment.synthesizers.gan_rows import sampled
from qsynth.experiment.synthesizers.searched_rows import N_RUNS, random_runs
from qsynth.experiment.synthesizers.training_rows import evenly
from qsynth.experiment.task import draw_task
from qsynth.qnn.fit import QNNFit
from tests.benchmarks.machine import write
from tests.benchmarks.report import table

PLAN, REGIME = "rows", Imbalance(ratio=10)
SCALE = 100  # points


def main() -> None:
    """Train, fit, regress, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    plan, parts, drawn, groups = load_plan(PLAN), [], [], []
    space = None
    for number, (name, source) in enumerate(plan.data.items()):
        assert isinstance(source, PartitionedTable)  # as the plan has checked
        tasks = [draw_task(source, REGIME, seed) for seed in plan.seeds]
        runs = [task for task in tasks for _ in range(N_RUNS)]
        population, values = random_runs([evenly(task.instance) for task in runs], [task.seed for task in runs])
        space = population.config.search_space
        first = tasks[0].instance
        labels = stratified(np.full(first.n_classes, 1 / first.n_classes), plan.n_synthetic)
        made = sampled(population, range(len(runs)), runs, labels)
        qnn = QNNFit.of(plan.qnn, max(first.n_features, first.n_classes), first.n_features, first.n_classes)
        arm = SyntheticArm("qsynth", "hard")
        sets = [arm.training_set(task, x, labels, plan.share) for task, x in zip(runs, made, strict=True)]
        done = outcomes(qnn, sets, [task.instance.test for task in runs])
        parts.append([SCALE * balanced_mean(each.correct, first.test.y) for each in done])
        drawn.append(values)
        groups.append(np.repeat(np.arange(len(tasks)), N_RUNS) + 1000 * number)
        print(f"{name}: {np.mean(parts[-1]):.1f} % on average", flush=True)
    assert space is not None  # a plan has data sets
    values = {name: np.concatenate([each[name] for each in drawn]) for name in drawn[0]}
    found = regress(space, values, np.concatenate(parts), np.concatenate(groups))
    write(given.out / "importance.json", found.to_dict())
    (given.out / "importance.md").write_text(_markdown(found))
    (given.out / "importance.png").write_bytes(importance_picture(found, "points of balanced accuracy"))


def _markdown(found: Regression) -> str:
    rows = [
        [
            f"`{each.name}`",
            f"{each.importance:.3f} ({each.importance_low:.3f} to {each.importance_high:.3f})",
            f"{each.change:+.2f} ({each.low:+.2f} to {each.high:+.2f})",
        ]
        for each in found.effects
    ]
    head = ["hyperparameter", "importance", "points from low end to high end"]
    told = (
        f"Of the variance within a draw the linear regression explains {found.linear:.0%}; a forest explains"
        f" {found.forest:.0%} in draws that it has not seen."
    )
    return f"{table(head, rows)}\n\n{told}\n"


if __name__ == "__main__":
    main()

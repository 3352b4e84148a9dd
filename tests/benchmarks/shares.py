"""What choosing the share of synthetic rows and their labels could bring a QNN at most.

    python -m tests.benchmarks.shares [--out tests/benchmarks/results]

The data sets, seeds and QNN of ``qsynth experiment rows``, 1:10 and 20 rows; rows of the table synthesizer with a
quarter, half or three quarters of the weight, each with hard and with soft labels. The experiment has half everywhere.
A bound stands beside: the best of the six on each data set IN HINDSIGHT, on the test rows, which nobody who chooses can
reach. It is optimistic also because it picks the best of six noisy means. Written down before it ran.
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
from qsynth.experiment.plan import load_plan
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Setting
from qsynth.experiment.task import draw_task
from qsynth.qnn.fit import QNNFit
from tests.benchmarks.machine import write
from tests.benchmarks.report import table

PLAN, REGIMES, SYNTHESIZER = "rows", ("1:10", "20 rows"), "qsynth table"
CHOICES = [(labels, share) for labels in ("hard", "soft") for share in (0.25, 0.5, 0.75)]


def main() -> None:
    """Make rows, fit, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    plan, rows = load_plan(PLAN), []
    for regime in (each for each in plan.regimes if each.title in REGIMES):
        for name, source in plan.data.items():
            assert isinstance(source, PartitionedTable)  # as the plan has checked
            tasks = [draw_task(source, regime, seed) for seed in plan.seeds]
            first = tasks[0].instance
            qnn = QNNFit.of(plan.qnn, max(first.n_features, first.n_classes), first.n_features, first.n_classes)
            labels = stratified(np.full(first.n_classes, 1 / first.n_classes), plan.n_synthetic)
            made = ROW_SYNTHESIZERS[SYNTHESIZER].rows(tasks, labels, Setting(qnn, plan.share))
            sets = [
                SyntheticArm(SYNTHESIZER, kind).training_set(task, x, labels, share)  # type: ignore[arg-type]
                for kind, share in CHOICES
                for task, x in zip(tasks, made, strict=True)
            ]
            done = outcomes(qnn, sets, [task.instance.test for _ in CHOICES for task in tasks])
            balanced = np.array([balanced_mean(each.correct, first.test.y) for each in done])
            means = 100 * balanced.reshape(len(CHOICES), len(tasks)).mean(axis=1)
            rows.append({"regime": regime.title, "data": name, "balanced": means.tolist()})
            print(f"{regime.title}, {name}: {means.round(1).tolist()}", flush=True)
    write(given.out / "shares.json", {"choices": CHOICES, "rows": rows})
    lines = []
    for title in REGIMES:
        means = np.array([row["balanced"] for row in rows if row["regime"] == title])
        lines.append([title, *(f"{value:.1f}" for value in means.mean(axis=0)), f"{means.max(axis=1).mean():.1f}"])
    head = ["balanced accuracy, %", *(f"{kind}, {share:.0%}" for kind, share in CHOICES), "best of each in hindsight"]
    (given.out / "shares.md").write_text(table(head, lines) + "\n")


if __name__ == "__main__":
    main()

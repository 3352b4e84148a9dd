"""How many circuits a QNN needs to learn: real rows, minibatches, coresets, distilled rows.

    python -m tests.benchmarks.tenfold --out tests/benchmarks/results/tenfold.json

Four tables (wine, two_curves, breast_cancer, and the phases of XXZ chains from 20 shots a measurement), three held-out
splits of each with up to 100 training rows, four features, a QNN of four qubits and 31 or 32 parameters, eight unseen
starts: distilling draws its own from another stream. Distillation was developed on iris and on the family of mixtures;
its settings are those below (32 steps of 4 rows, 400 iterations), the same for all tables, written down before this
ran. Goal: at most a tenth of real rows' circuits, and half of the best minibatch's or coreset's, on 3 of 4 tables.

- The target is the balanced accuracy on test rows, mean over starts, of full-batch training on all real rows, with the
  optimiser, step size and step (of 100) at which the mean over the splits is best, less one point.
- Counted are the rows whose gradients are computed until a split's curve (mean over starts) first is at its target; a
  row takes ``row_cost`` circuits (1 + 2 an angle). Looking at the test rows costs nothing for anybody.
- Rivals: full batches, minibatches of 1 to 16 rows, coresets of 16 rows (random, medoids, herding) and of two medoids a
  class, class means; each with Adam at four step sizes and gradient descent at two. Every rival has the setting, and
  minibatches and coresets the size and choice, with which it was first IN HINDSIGHT, on the test rows. That favours the
  rivals: distilled rows have one setting.
- ``real rows, learned step sizes`` is distillation that learns no rows (150 iterations): what the step sizes alone are
  worth.
- Another ansatz takes the rows and step sizes that were distilled for ``strongly_entangling``; beside it minibatches of
  two. ``tenfold_noise`` takes them to a noisy processor.

Seeds of a table share its test rows, so ranges over splits are about splits and starts, not about new tables. The cost
of distilling stands beside: rows executed on the simulator, and CPU seconds.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qsynth.execution.compilation import Build, Compiler, eager
from qsynth.experiment.distilled.circuit_budget import row_cost
from qsynth.experiment.distilled.coreset import CHOICES, class_means, coreset
from qsynth.experiment.distilled.distillation import DistillationConfig, Distiller, learn_on
from qsynth.experiment.distilled.student import Lesson
from qsynth.qnn.fit import QNNConfig
from tests.benchmarks import machine, tenfold_report
from tests.benchmarks.tenfold_training import N_QUBITS, Curve, Tasks, Trainer, accuracies, drawn_tasks, model_of, unseen

TABLES = ("wine", "two_curves", "breast_cancer", "xxz")
N_TRAIN = 100
DISTILLED_FOR, OTHERS = ("strongly_entangling", 2), (("hardware_efficient", 3),)
BATCHES = (1, 2, 4, 8, 16)
CORESET = 16
FINAL = DistillationConfig(n_steps=32, n_rows=4, n_iterations=400, n_starts=8)
STEP_SIZE_ITERATIONS = 150


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is run; the second one is for tests."""

    n_tasks: int = 3
    n_starts: int = 8
    n_train: int = N_TRAIN
    full_steps: int = 100
    few_steps: int = 480
    few_rows: int = 960
    coreset_steps: int = 60
    distillation: DistillationConfig = FINAL
    others: tuple[tuple[str, int], ...] = OTHERS
    build: Build = eager


QUICK = Size(
    n_tasks=2,
    n_starts=2,
    n_train=20,
    full_steps=4,
    few_steps=4,
    few_rows=16,
    coreset_steps=3,
    distillation=DistillationConfig(n_steps=2, n_iterations=3, n_starts=2, n_real=6),
    others=(),
)


def rivals(trainer: Trainer, tasks: Tasks, size: Size) -> list[Curve]:
    """Of minibatches and coresets."""
    curves = []
    for n_rows in BATCHES:
        n_steps = max(1, min(size.few_steps, size.few_rows // n_rows))
        curves += trainer.curves(f"minibatch of {n_rows}", trainer.minibatches(n_rows, n_rows), n_rows, n_steps)
    chosen = {f"{name}, {CORESET}": [coreset(name, part, CORESET, 0) for part in tasks.parts] for name in CHOICES}
    few = 2 * tasks.n_classes
    chosen[f"medoids, {few}"] = [coreset("medoids", part, few, 0) for part in tasks.parts]
    chosen["class means"] = [class_means(part) for part in tasks.parts]
    for name, parts in chosen.items():
        n_rows = max(len(part) for part in parts)
        curves += trainer.curves(f"coreset: {name}", trainer.full(parts), n_rows, size.coreset_steps)
    return curves


def full_batch(trainer: Trainer, tasks: Tasks, n_steps: int) -> list[Curve]:
    """Of all real rows."""
    return trainer.curves("real rows", trainer.full(tasks.parts), len(tasks.parts[0]), n_steps)


def followed(arm: str, ansatz: tuple[str, int], tasks: Tasks, lessons: Lesson, size: Size) -> Curve:
    """The curve of QNNs on distilled rows."""
    model, n_rows = model_of(*ansatz, tasks), lessons.x.shape[2]
    with torch.no_grad():
        path = learn_on(model, lessons, unseen(model, size.n_starts))
    found = torch.stack([accuracies(model, tasks, flat).mean(dim=1) for flat in path], dim=1)
    rows = [n_rows * (step + 1) for step in range(len(path))]
    return Curve(arm=arm, setting="", rows=rows, accuracy=found.double().tolist())


def distilled(tasks: Tasks, size: Size, *, learns_rows: bool) -> tuple[Lesson, float]:
    """Lessons of each task, and the CPU seconds that they took, compilation apart."""
    config = size.distillation
    if not learns_rows:
        config = config.replaced(learns_rows=False, n_iterations=min(config.n_iterations, STEP_SIZE_ITERATIONS))
    distiller = Distiller(model_of(*DISTILLED_FOR, tasks), config, size.build)
    distiller.warm_up(tasks.x, tasks.target)
    began = time.process_time()
    lessons = distiller.distil(tasks.x, tasks.target, seed=0)
    return Lesson(*(part.detach() for part in lessons)), time.process_time() - began


def measured(name: str, size: Size) -> dict[str, Any]:
    """All curves of one table."""
    tasks = drawn_tasks(name, range(size.n_tasks), size.n_train)
    lessons, seconds = distilled(tasks, size, learns_rows=True)
    fixed, _ = distilled(tasks, size, learns_rows=False)
    trainer = Trainer(model_of(*DISTILLED_FOR, tasks), tasks, size.n_starts, size.build)
    curves = [
        followed("distilled rows", DISTILLED_FOR, tasks, lessons, size),
        followed("real rows, learned step sizes", DISTILLED_FOR, tasks, fixed, size),
        *full_batch(trainer, tasks, size.full_steps),
        *rivals(trainer, tasks, size),
    ]
    others = {}
    for ansatz in size.others:
        there = Trainer(model_of(*ansatz, tasks), tasks, size.n_starts, eager)
        of_other = [followed("distilled rows", ansatz, tasks, lessons, size)]
        of_other += full_batch(there, tasks, size.full_steps // 2)
        of_other += there.curves("minibatch of 2", there.minibatches(2, 2), 2, size.few_steps // 4)
        others[ansatz[0]] = {
            "circuits_per_row": row_cost(QNNConfig(ansatz=ansatz[0], n_layers=ansatz[1]), N_QUBITS).circuits,
            "curves": [curve.json() for curve in of_other],
        }
    return {
        "table": name,
        "n_classes": tasks.n_classes,
        "n_train": len(tasks.parts[0]),
        "n_test": int(tasks.x_test.shape[1]),
        "circuits_per_row": row_cost(QNNConfig(ansatz=DISTILLED_FOR[0], n_layers=DISTILLED_FOR[1]), N_QUBITS).circuits,
        "distilling": {"cpu_s_a_split": seconds / size.n_tasks, "rows": size.distillation.rows_executed},
        "curves": [curve.json() for curve in curves],
        "others": others,
        "lessons": {part: _rounded(getattr(lessons, part)) for part in Lesson._fields},
    }


def _rounded(values: torch.Tensor) -> Any:
    return np.round(values.double().numpy(), 4).tolist()


def run(tables: Sequence[str], size: Size, out: Path) -> None:
    """Measure what the file lacks, and write it after every table."""
    rows: list[dict[str, Any]] = json.loads(out.read_text())["rows"] if out.exists() else []
    for name in tables:
        if name not in {row["table"] for row in rows}:
            rows.append(measured(name, size))
            machine.write(out, {"benchmark": "tenfold", "rows": rows})
            tenfold_report.write(out, rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="little of everything on one table, to see that it works")
    machine.output_argument(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.quick:
        run(["wine"], QUICK, arguments.out)
    else:
        run(TABLES, Size(build=Compiler("tenfold")), arguments.out)


if __name__ == "__main__":
    main()

"""The tenfold on a noisy processor with shots.

    python -m tests.benchmarks.tenfold_noise --of tests/benchmarks/results/tenfold.json \
        --out tests/benchmarks/results/tenfold_noise.json

The rows that ``tenfold`` distilled on the exact simulator, the setting of real rows and that of the best minibatch that
were first there, on QNNs of which every circuit has 1,000 shots and a processor's errors: depolarising with probability
0.001 behind gates on one qubit and 0.01 on both qubits behind CNOTs, a wrong reading with 0.02. Gradients are
parameter-shift's, of shots; so are the logits by which test rows are judged. Targets are real rows' own, on this
processor. Two unseen starts a split.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.noise import NoiseConfig
from qsynth.experiment.distilled.student import Lesson, Student, moved
from qsynth.networks.adam import AdamState, adam
from qsynth.qnn.model import balanced
from tests.benchmarks import machine, tenfold_report
from tests.benchmarks.noisy_qnn import NoisyQNN
from tests.benchmarks.tenfold import DISTILLED_FOR, N_TRAIN
from tests.benchmarks.tenfold_training import Curve, Tasks, drawn_tasks, model_of, unseen

NOISE = NoiseConfig(one_qubit=0.001, two_qubit=0.01, readout=0.02)
SHOTS, N_STARTS = 1000, 2
FULL_STEPS, FEW_STEPS, EVERY_FULL, EVERY_FEW = 40, 240, 4, 8

# Gradients of lanes at parameters (lanes x parameters).
Gradient = Callable[[Tensor], Tensor]


class Processor:
    """Trains and judges the QNNs of all splits and starts of a table."""

    def __init__(self, tasks: Tasks, seed: int) -> None:
        self.tasks, self.model = tasks, model_of(*DISTILLED_FOR, tasks)
        self.qnn = NoisyQNN(self.model, NOISE, SHOTS, seed)
        self.start = unseen(self.model, N_STARTS).repeat(len(tasks.x), 1)
        self._random = torch.Generator().manual_seed(seed)

    def descend(self, arm: str, kind: str, rate: float, n_rows: int | None) -> Curve:
        """On all rows of each task (``None``), or on so many drawn anew in every step."""
        n_steps, every = (FULL_STEPS, EVERY_FULL) if n_rows is None else (FEW_STEPS, EVERY_FEW)
        flat, batches = self.start, self._batches(n_rows)
        state = AdamState.zeros(*flat.shape)
        rates, one = torch.full((len(flat),), rate), torch.ones(len(flat))
        looks: list[tuple[int, Tensor]] = []
        for step in range(1, n_steps + 1):
            gradient = self.qnn.gradient(flat, *next(batches))
            if kind == "adam":
                flat, state = vmap(adam)(flat, gradient, state, rates, 0.9 * one, one)
            else:
                flat = flat - rate * gradient
            if step % every == 0:
                looks.append((step, self._accuracy(flat)))
        n_each = self.tasks.x.shape[1] if n_rows is None else n_rows
        return _curve(arm, f"{kind} {rate}", n_each, looks)

    def follow(self, lessons: Lesson) -> Curve:
        """Distilled rows (tasks x steps x ...)."""
        n_steps, n_rows = lessons.x.shape[1:3]
        student, looks = Student.at(self.start), []
        weight = torch.full((len(self.start), n_rows), 1 / n_rows)
        for index in range(n_steps):
            lesson = Lesson(*(part[:, index].repeat_interleave(N_STARTS, dim=0) for part in lessons))
            gradient = self.qnn.gradient(student.flat, lesson.x, torch.softmax(lesson.logits, dim=2), weight)
            student = vmap(lambda *at: moved(self.model, *at))(student, gradient, lesson.log_rate)
            looks.append((index + 1, self._accuracy(student.flat)))
        return _curve(tenfold_report.DISTILLED, "", n_rows, looks)

    def _batches(self, n_rows: int | None) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        x, target = (part.repeat_interleave(N_STARTS, dim=0) for part in (self.tasks.x, self.tasks.target))
        shares, lane = balanced(target), torch.arange(len(x))[:, None]
        while True:
            if n_rows is None:
                yield x, target, shares
            else:
                rows = torch.multinomial(shares, n_rows, replacement=True, generator=self._random)
                yield x[lane, rows], target[lane, rows], torch.full(rows.shape, 1 / n_rows)

    def _accuracy(self, flat: Tensor) -> Tensor:
        """Mean over the starts, for each task."""
        x, target = (part.repeat_interleave(N_STARTS, dim=0) for part in (self.tasks.x_test, self.tasks.target_test))
        found = vmap(self.model.accuracy)(self.qnn.outputs(flat, x), target, balanced(target))
        return found.unflatten(0, (-1, N_STARTS)).mean(dim=1)


def _curve(arm: str, setting: str, n_rows: int, looks: list[tuple[int, Tensor]]) -> Curve:
    accuracy = torch.stack([found for _, found in looks], dim=1).double().tolist()
    return Curve(arm=arm, setting=setting, rows=[n_rows * step for step, _ in looks], accuracy=accuracy)


def measured(row: dict[str, Any], seed: int) -> dict[str, Any]:
    """One table of ``tenfold``'s result."""
    n_tasks = len(row["curves"][0]["accuracy"])
    processor = Processor(drawn_tasks(row["table"], range(n_tasks), N_TRAIN), seed)
    there = tenfold_report.compared(row["curves"])
    real, few = there[tenfold_report.REAL].curve, there["minibatch"].curve
    lessons = Lesson(*(torch.tensor(row["lessons"][part]) for part in Lesson._fields))
    curves = [processor.follow(lessons)]
    for curve, n_rows in ((real, None), (few, int(few["arm"].split()[-1]))):
        kind, rate = curve["setting"].split()
        curves.append(processor.descend(curve["arm"], kind, float(rate), n_rows))
    of_row = {"table": row["table"], "circuits_per_row": row["circuits_per_row"]}
    return of_row | {"curves": [curve.json() for curve in curves]}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", type=Path, required=True, help="JSON file that tenfold wrote")
    machine.output_argument(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    out: Path = arguments.out
    rows: list[dict[str, Any]] = json.loads(out.read_text())["rows"] if out.exists() else []
    for row in json.loads(arguments.of.read_text())["rows"]:
        if row["table"] not in {each["table"] for each in rows}:
            rows.append(measured(row, seed=len(rows)))
            machine.write(out, {"benchmark": "tenfold_noise", "rows": rows})
            out.with_suffix(".md").write_text(tenfold_report.short(rows))


if __name__ == "__main__":
    main()

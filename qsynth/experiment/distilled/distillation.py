"""A few rows on which a QNN learns in a few steps what it would learn on all of them.

Dataset distillation [Wang, Zhu, Torralba & Efros 2018, arXiv 1811.10959]: rows, their soft labels and the step sizes
are learned through unrolled training, so that QNNs with random starts that take these steps have a low loss on the real
rows. Every step has rows of its own, few of them. Distilling runs on the simulator, where circuits cost nothing but
time; what is trained on the rows afterwards may run on hardware, where they are billed.

Deviation: from Wang et al., who unroll gradient descent: steps are Adam's, with a step size for each group of the QNN's
parameters, because the gradient of a layer's angle and of the gain differ by much.
"""

import functools
import math

import torch
from pydantic import Field
from torch import Tensor
from torch.func import grad, vmap

from qsynth import rng
from qsynth.config import Config
from qsynth.execution.compilation import Build, eager
from qsynth.experiment.distilled.student import Lesson, Student, n_groups, pulled, taught
from qsynth.qnn.model import QuantumModel, balanced

STARTS, ROWS, FIRST_ROWS = 1, 2, 3  # streams of random numbers; fits and evaluations start from stream 0
FIRST_LOGIT = 4.0


class DistillationConfig(Config):
    """How rows are distilled.

    Attributes:
        n_steps: that a QNN takes on them.
        n_rows: of each step.
        n_iterations: of Adam on rows, labels and step sizes.
        lr: of that Adam at the beginning; it falls linearly to nothing.
        n_starts: of QNNs in each iteration, new ones every time.
        n_looks: at what students have learned, the last one at the end, the others as far apart.
        n_real: rows that are drawn for each start and look, classes alike.
        first_rate: of the QNN's steps, before it is learned.
        clip: of the norm of a task's gradient.
        learns_rows: whether rows and labels are learned; otherwise only the step sizes are, for real rows.
    """

    n_steps: int = Field(32, ge=1, le=200)
    n_rows: int = Field(4, ge=1, le=1000)
    n_iterations: int = Field(400, ge=0, le=100_000)
    lr: float = Field(0.05, gt=0, le=1)
    n_starts: int = Field(12, ge=1, le=1000)
    n_looks: int = Field(2, ge=1, le=200)
    n_real: int = Field(32, ge=1, le=10_000)
    first_rate: float = Field(0.2, gt=0, le=10)
    clip: float = Field(1.0, gt=0)
    learns_rows: bool = True

    @property
    def rows_executed(self) -> int:
        """Rows whose values and gradients are computed to distil one task."""
        return self.n_iterations * self.n_starts * (self.n_steps * self.n_rows + self.n_looks * self.n_real)


def learn_on(model: QuantumModel, lessons: Lesson, starts: Tensor) -> list[Tensor]:
    """Parameters after every step on distilled rows, tasks x starts x parameters each, of QNNs of any ansatz.

    Args:
        lessons: tasks x steps x ....
        starts: starts x parameters.
    """
    n_tasks, n_steps = lessons.x.shape[:2]
    step = vmap(vmap(functools.partial(taught, model), in_dims=(0, None)))
    student, path = Student.at(starts.expand(n_tasks, -1, -1)), []
    for index in range(n_steps):
        student = step(student, Lesson(*(part[:, index] for part in lessons)))
        path.append(student.flat)
    return path


class Distiller:
    """Distils rows for QNNs of one kind, for several tasks at once.

    Args:
        build: makes programs of a student's step, of how it pulls at its lesson, and of what it has not learned.
    """

    def __init__(self, model: QuantumModel, config: DistillationConfig, build: Build = eager) -> None:
        self.model, self.config = model, config
        name = f"{model.name}-{model.circuit.fingerprint[:16]}"
        self._taught = build(f"taught-{name}", vmap(functools.partial(taught, model)))
        self._pulled = build(f"pulled-{name}", vmap(functools.partial(pulled, model)))
        self._missed = build(f"missed-{name}", vmap(lambda *at: (grad(model.loss)(*at),)))

    def distil(self, x: Tensor, target: Tensor, seed: int) -> Lesson:
        """Lessons for each task, tasks x steps x ....

        Args:
            x: tasks x rows x n_features.
            target: tasks x rows x n_classes, one-hot.
        """
        config, random = self.config, torch.tensor(seed)
        lessons = self._first(x, target, random)
        learned = [*lessons] if config.learns_rows else [lessons.log_rate]
        optimiser = torch.optim.Adam(learned, lr=config.lr, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, max(1, config.n_iterations))
        for iteration in range(config.n_iterations):
            pull = self._pull(lessons, x, target, random, torch.tensor(iteration))
            norm = torch.cat([part.flatten(1) for part in pull], dim=1).norm(dim=1)
            shrink = (config.clip / norm).clamp(max=1)
            for part, of_part in zip(lessons, pull, strict=True):
                part.grad = of_part * shrink.reshape(-1, *[1] * (of_part.dim() - 1))
            optimiser.step()
            schedule.step()
        return lessons

    def warm_up(self, x: Tensor, target: Tensor) -> None:
        """Have the programs built for tasks of these shapes."""
        self._pull(self._first(x, target, torch.tensor(0)), x, target, torch.tensor(0), torch.tensor(0))

    def _first(self, x: Tensor, target: Tensor, random: Tensor) -> Lesson:
        """Real rows, a lesson's of as many classes as it can have, and equal step sizes."""
        n_tasks, n_steps, n_rows = len(x), self.config.n_steps, self.config.n_rows
        n_classes, n_drawn = target.shape[2], n_steps * n_rows
        u = rng.uniform(random, FIRST_ROWS, torch.tensor(0), n_tasks * n_drawn).reshape(n_tasks, n_drawn)
        of_class = target[:, :, torch.arange(n_drawn) % n_classes].transpose(1, 2)
        rows = _drawn(of_class / of_class.sum(dim=2, keepdim=True), u)
        first_x = torch.stack([own[chosen] for own, chosen in zip(x, rows, strict=True)])
        labels = torch.stack([own[chosen] for own, chosen in zip(target, rows, strict=True)])
        log_rate = torch.full((n_tasks, n_steps, n_groups(self.model)), math.log(self.config.first_rate))
        shape = (n_tasks, n_steps, n_rows, -1)
        return Lesson(first_x.reshape(shape), FIRST_LOGIT * labels.reshape(shape), log_rate)

    def _pull(self, lessons: Lesson, x: Tensor, target: Tensor, random: Tensor, iteration: Tensor) -> Lesson:
        """Gradients for lessons of the mean loss, on real rows, of new students after their last lesson."""
        config, n_tasks = self.config, len(x)
        n_lanes = n_tasks * config.n_starts

        def at(index: int) -> Lesson:
            return Lesson(*(part[:, index].repeat_interleave(config.n_starts, dim=0) for part in lessons))

        seeds = rng.descendant(random.expand(n_lanes), iteration * n_lanes + torch.arange(n_lanes))
        path = [Student.at(vmap(lambda seed: self.model.initial(seed, STARTS))(seeds))]
        for index in range(config.n_steps):
            path.append(self._taught(path[-1], at(index)))
        looks = {round(config.n_steps * (look + 1) / config.n_looks) for look in range(config.n_looks)}
        later, pulls = Student(*(torch.zeros_like(part) for part in path[0])), []
        for index in range(config.n_steps, 0, -1):
            if index in looks:
                missed = self._look(path[index], x, target, random, iteration * (config.n_steps + 1) + index)
                later = later._replace(flat=later.flat + missed)
            later, of_lesson = self._pulled(path[index - 1], at(index - 1), later)
            pulls.append([part.unflatten(0, (n_tasks, config.n_starts)).sum(dim=1) for part in of_lesson])
        return Lesson(*(torch.stack(part[::-1], dim=1) for part in zip(*pulls, strict=True)))

    def _look(self, student: Student, x: Tensor, target: Tensor, random: Tensor, number: Tensor) -> Tensor:
        """Gradient for students' parameters of their task's mean loss on real rows drawn anew."""
        config, n_tasks = self.config, len(x)
        n_lanes = n_tasks * config.n_starts
        u = rng.uniform(random, ROWS, number, n_lanes * config.n_real).reshape(n_tasks, -1)
        rows = _drawn(balanced(target)[:, None].expand(-1, u.shape[1], -1), u)
        drawn = [torch.stack([own[chosen] for own, chosen in zip(part, rows, strict=True)]) for part in (x, target)]
        real = [part.reshape(n_lanes, config.n_real, -1) for part in drawn]
        share = 1 / (config.n_real * config.n_starts * config.n_looks)
        (of_flat,) = self._missed(student.flat, *real, torch.full((n_lanes, config.n_real), share))
        return of_flat  # type: ignore[no-any-return]


def _drawn(shares: Tensor, u: Tensor) -> Tensor:
    """Which row each uniform number (tasks x draws) draws, of the rows' shares (tasks x draws x rows)."""
    rows = torch.searchsorted(shares.cumsum(dim=2), u[:, :, None]).squeeze(2)
    return rows.clamp(max=shares.shape[2] - 1)

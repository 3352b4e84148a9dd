"""One step of a QNN that learns from distilled rows, and how what comes out of it pulls at what went in."""

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vjp

from qsynth.qnn.model import QuantumModel

MOMENTUM, DECAY = 0.5, 0.9
# Under the root, or else the gradient of an unrolled step is not finite where a parameter has none.
EPSILON = 1e-4


class Lesson(NamedTuple):
    """What one step learns from.

    Attributes:
        x: rows x n_features, in the scaled space.
        logits: rows x n_classes, of which the softmax is the rows' labels.
        log_rate: of each group of parameters (scale, weights, gain, bias), the logarithm of the step size.
    """

    x: Tensor
    logits: Tensor
    log_rate: Tensor


class Student(NamedTuple):
    """A QNN while it learns: parameters, both moments of their gradients, and the number of steps taken (scalar)."""

    flat: Tensor
    first: Tensor
    second: Tensor
    steps: Tensor

    @classmethod
    def at(cls, flat: Tensor) -> "Student":
        """Before the first step; leading axes of ``flat`` are lanes, the last one parameters."""
        return cls(flat, torch.zeros_like(flat), torch.zeros_like(flat), torch.zeros(flat.shape[:-1]))


def taught(model: QuantumModel, student: Student, lesson: Lesson) -> Student:
    """One step on the mean loss of a lesson's rows."""
    rows = lesson.x.shape[0]
    weight = torch.full((rows,), 1 / rows)
    gradient = grad(model.loss)(student.flat, lesson.x, torch.softmax(lesson.logits, dim=1), weight)
    return moved(model, student, gradient, lesson.log_rate)


def moved(model: QuantumModel, student: Student, gradient: Tensor, log_rate: Tensor) -> Student:
    """One step of Adam, with momentum 0.5 and epsilon under the root."""
    steps = student.steps + 1
    first = MOMENTUM * student.first + (1 - MOMENTUM) * gradient
    second = DECAY * student.second + (1 - DECAY) * gradient * gradient
    root = torch.sqrt(second / (1 - DECAY**steps) + EPSILON)
    rate = torch.exp(_spread(model, log_rate))
    return Student(student.flat - rate * first / (1 - MOMENTUM**steps) / root, first, second, steps)


def pulled(model: QuantumModel, student: Student, lesson: Lesson, later: Student) -> tuple[Student, Lesson]:
    """Gradients for student and lesson of what has gradients ``later`` for the student one step on."""
    found: Any = vjp(functools.partial(taught, model), student, lesson)
    of_student, of_lesson = found[1](later)
    return of_student, of_lesson


def n_groups(model: QuantumModel) -> int:
    """How many step sizes a step has."""
    return len(model.layout.shapes)


def _spread(model: QuantumModel, of_groups: Tensor) -> Tensor:
    """A number for each group, at each of its parameters."""
    sizes = model.layout.sizes
    return torch.cat([value.expand(size) for value, size in zip(of_groups.unbind(), sizes, strict=True)])

"""What is measured of rows on a problem's test rows."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.metrics.memorisation import memorisation
from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot
from qsynth.yardsticks.yardstick import Fitted, Floats


@dataclass(frozen=True)
class Grade:
    """What rows are worth.

    Attributes:
        score: the study's.
        terms: metric's name -> utility, what the score is the mean of.
        memorised: share of rows nearer to a training row than to one of a second real sample, 1/2 for real rows; None
            for rows that are no numbers.
    """

    score: float
    terms: Mapping[str, float]
    memorised: float | None

    @classmethod
    def of(cls, card: Scorecard, lane: int, rows: Tensor, instance: Instance) -> "Grade":
        """Of one lane's rows; what can't be measured scores 0."""
        return cls._of(card, lane, rows.numpy(), instance.train.x, instance.reserve.x)

    @classmethod
    def of_reserve(cls, population: Population, instance: Instance, part: str) -> "Grade":
        """Of the second real sample itself, each row once, against a part; in its own place are validation and test
        rows."""
        held_out = np.concatenate([instance.validation.x, instance.test.x])
        return cls._of(population.measure_reserve(instance, part), 0, instance.reserve.x, instance.train.x, held_out)

    @classmethod
    def _of(cls, card: Scorecard, lane: int, rows: Floats, train: Floats, held_out: Floats) -> "Grade":
        return cls(
            score=float(np.nan_to_num(float(card.score[lane]))),
            terms={name: float(value[lane]) for name, value in card.utilities.items()},
            memorised=_memorised(rows, train, held_out),
        )


def mean_grade(grades: Sequence[Grade]) -> Grade:
    """Over seeds of the noise."""
    known = [each.memorised for each in grades if each.memorised is not None]
    return Grade(
        score=float(np.mean([each.score for each in grades])),
        terms={name: float(np.mean([each.terms[name] for each in grades])) for name in grades[0].terms},
        memorised=float(np.mean(known)) if known else None,
    )


def rows_in_lane(made: Snapshot | Fitted, population: Population, lane: int, instance: Instance, seed: int) -> Tensor:
    """Rows (n_rows x n_features) of a trained GAN or of a yardstick, from noise of ``seed``, for the labels with which
    ``instance`` is measured; from then on it is the lane's."""
    if isinstance(made, Snapshot):
        population.restore(lane, dataclasses.replace(made, seed=seed), instance)
        return population.sample(lane, population.labels[lane], seed)
    population.reset([lane], [instance], [seed])
    return torch.as_tensor(made.sample(population.labels[lane].argmax(dim=1).numpy(), seed))


def _memorised(rows: Floats, train: Floats, held_out: Floats) -> float | None:
    return memorisation(rows, train, held_out) if np.isfinite(rows).all() else None

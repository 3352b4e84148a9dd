"""Test scores, with noise that has selected nothing."""

from collections.abc import Sequence

import torch
from torch import Tensor

from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population

N_FRESH = 3  # seeds of the noise that a GAN is measured with on the test rows
FRESH_SEED = 2**61  # no trial has a seed from here on, up to those of held-out problems


def fresh_seeds(problem: int) -> tuple[int, ...]:
    """Seeds of the noise for a problem, by its number: the same for everybody who solves it."""
    return tuple(FRESH_SEED + problem * N_FRESH + fresh for fresh in range(N_FRESH))


def examine(population: Population, problems: Sequence[int], n_fresh: int = N_FRESH) -> Scorecard:
    """The mean scorecard of every lane against its test rows, over the fresh noise of its problem.

    What can't be measured scores 0.

    Args:
        problems: numbers, one a lane.
        n_fresh: how many seeds of each; fewer where rows cost money.
    """
    seeds = list(zip(*(fresh_seeds(problem) for problem in problems), strict=True))[:n_fresh]
    cards = [population.evaluate("test", seeds=row) for row in seeds]

    def mean(values: Sequence[Tensor]) -> Tensor:
        return torch.stack([value.double() for value in values]).mean(dim=0)

    return Scorecard(
        score=mean([torch.nan_to_num(card.score) for card in cards]),
        utilities={name: mean([card.utilities[name] for card in cards]) for name in cards[0].utilities},
        raw={name: mean([card.raw[name] for card in cards]) for name in cards[0].raw},
    )

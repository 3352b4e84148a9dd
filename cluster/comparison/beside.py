"""Rows of yardsticks, and of GANs that are trained already, measured in this process on a few instances."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from cluster.comparison.exam import Grade, mean_grade, rows_in_lane
from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.rival_result import RivalResult
from qsynth.data.dataset import Instance
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.yardsticks.yardstick import Fitted, Yardstick
from rl_envs.classical_twin import GanRows
from rl_envs.exam import fresh_seeds

SPENT = dict.fromkeys(("iterations", "circuits", "shots", "trials", "failed"), 0)


@dataclass(frozen=True)
class TrainedGan:
    """A GAN that is trained already, as a yardstick."""

    name: str
    about: str
    population: Population
    ceiling: bool = False

    def fit(self, instance: Instance, seed: int) -> Fitted:
        """Nothing is left to learn."""
        return GanRows(self.population)


def measure_rows(
    config: TrialConfig,
    study: str,
    instances: Sequence[Instance],
    yardsticks: Sequence[Yardstick],
    seed: int,
    part: Literal["validation", "test"],
) -> tuple[RivalResult, ...]:
    """Results of each on the problems 0, 1, ..., which are these instances.

    Args:
        seed: that they learn with.
        part: of the instances, that rows are compared with.
    """
    first = instances[0]
    learners = [each for each in yardsticks if not each.ceiling]
    population = Population(config, first.n_features, first.n_classes, len(learners))
    population.reset(range(len(learners)), [first] * len(learners), [seed] * len(learners))
    records: dict[str, list[JobResult]] = {each.name: [] for each in yardsticks}
    for number, instance in enumerate(instances):
        grades = _graded(population, learners, instance, number, seed, part)
        for each in yardsticks:
            # The ceiling has its own rows, without noise.
            grade, seconds = grades.get(each.name) or (Grade.of_reserve(population, instance, part), 0.0)
            records[each.name].append(_record(study, each.name, number, grade, seconds))
    return tuple(
        RivalResult(
            name=each.name,
            details={study: each.about},
            preparations={study: 0},
            shared=False,
            records=tuple(records[each.name]),
            only_once=True,
            ceiling=each.ceiling,
        )
        for each in yardsticks
    )


def _graded(
    population: Population, yardsticks: Sequence[Yardstick], instance: Instance, number: int, seed: int, part: str
) -> dict[str, tuple[Grade, float]]:
    """Of each yardstick by its name, in a lane each: what its rows are worth, and the CPU seconds it learned for."""
    fitted, seconds = zip(*(_fitted(each, instance, seed) for each in yardsticks), strict=True)
    grades: list[list[Grade]] = [[] for _ in yardsticks]
    for fresh in fresh_seeds(number):
        rows = torch.stack([rows_in_lane(made, population, lane, instance, fresh) for lane, made in enumerate(fitted)])
        card = population.measure(rows, part)
        for lane, of_lane in enumerate(grades):
            of_lane.append(Grade.of(card, lane, rows[lane], instance))
    return {
        each.name: (mean_grade(of_lane), spent)
        for each, of_lane, spent in zip(yardsticks, grades, seconds, strict=True)
    }


def _fitted(yardstick: Yardstick, instance: Instance, seed: int) -> tuple[Fitted, float]:
    began = time.process_time()
    fitted = yardstick.fit(instance, seed)
    return fitted, time.process_time() - began


def _record(study: str, name: str, number: int, grade: Grade, cpu_seconds: float) -> JobResult:
    return JobResult(
        key="",
        study=study,
        rival=name,
        problem=number,
        runs=1,
        curve=(),
        marks={1: BudgetResult(validation=0.0, test=grade.score, terms=dict(grade.terms), memorised=grade.memorised)},
        spent=SPENT,
        cpu_seconds=cpu_seconds,
    )

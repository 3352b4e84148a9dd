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
    n_lanes = sum(not each.ceiling for each in yardsticks)
    population = Population(config, first.n_features, first.n_classes, n_lanes)
    population.reset(range(n_lanes), [first] * n_lanes, [seed] * n_lanes)
    records: dict[str, list[JobResult]] = {each.name: [] for each in yardsticks}
    for number, instance in enumerate(instances):
        fitted, seconds = zip(*(_fitted(each, instance, seed) for each in yardsticks), strict=True)
        made = [rows for rows, each in zip(fitted, yardsticks, strict=True) if not each.ceiling]
        grades = iter(_graded(population, made, instance, number, part))
        for each, spent in zip(yardsticks, seconds, strict=True):
            # The ceiling has its own rows, without noise.
            grade = Grade.of_reserve(population, instance, part) if each.ceiling else next(grades)
            records[each.name].append(_record(study, each.name, number, grade, spent))
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


def _graded(population: Population, made: Sequence[Fitted], instance: Instance, number: int, part: str) -> list[Grade]:
    """What rows are worth, those of each in a lane."""
    grades: list[list[Grade]] = [[] for _ in made]
    for fresh in fresh_seeds(number):
        rows = torch.stack([rows_in_lane(each, population, lane, instance, fresh) for lane, each in enumerate(made)])
        card = population.measure(rows, part)
        for lane, of_lane in enumerate(grades):
            of_lane.append(Grade.of(card, lane, rows[lane], instance))
    return [mean_grade(of_lane) for of_lane in grades]


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

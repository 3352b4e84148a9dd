"""Yardsticks and GANs are measured on the same rows, with the same labels and seeds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cluster.comparison.exam import Grade, mean_grade, rows_in_lane
from cluster.comparison.job import ComparisonJob, held_out_problem
from cluster.comparison.job_result import JobResult
from cluster.comparison.lane_scheduler import LaneScheduler
from cluster.comparison.rivals.registry import RIVALS
from cluster.comparison.rivals.rival import Rival
from cluster.comparison.rivals.rows_rival import rows_rival, yardsticks_of
from qsynth.data.tabular import TableData
from qsynth.yardsticks.registry import YARDSTICKS
from rl_envs.config import make_tuner
from rl_envs.exam import fresh_seeds
from rl_envs.tuner import Tuner
from tests.rl_envs.tiny import environment

DATA = TableData(name="iris", n_features=2, n_train=30)
ENVIRONMENT = environment(n_decisions=2, iterations_per_decision=1).replaced(data=DATA)
START = {"n_critic": 1.0, "lr_generator": 0.05, "batch_size": 4.0, "beta1": 0.2}


@pytest.fixture(scope="module")
def tuner() -> Tuner:
    return make_tuner(ENVIRONMENT, 4)


def play(tuner: Tuner, *rivals: Rival, n_problems: int = 2) -> list[JobResult]:
    problems = [held_out_problem("tiny", number, START) for number in range(n_problems)]
    jobs = [
        ComparisonJob(rival=rival, problem=problem, runs=1, marks=(1,), context="")
        for rival in rivals
        for problem in problems
    ]
    found: dict[str, JobResult] = {}
    waiting = iter(jobs)
    LaneScheduler(
        tuner,
        DATA,  # type: ignore[arg-type]
        lambda: next(waiting, None),
        lambda job, record: found.update({job.key: record}),
    ).run()
    return [found[job.key] for job in jobs]


@pytest.mark.parametrize("name", ["Gaussian mixture", "SMOTE"])
def test_a_yardstick_is_measured_as_gans_are(tuner: Tuner, name: str) -> None:
    [_, record] = play(tuner, rows_rival(YARDSTICKS[name]))
    instance, population = DATA.instance(1, held_out=True), make_tuner(ENVIRONMENT, 3).population
    population.reset(range(3), [instance] * 3, [0] * 3)
    fitted = YARDSTICKS[name].fit(instance, held_out_problem("tiny", 1, START).seed)
    labels = population.labels.argmax(dim=2).numpy()
    drawn = [fitted.sample(labels[0], seed) for seed in fresh_seeds(1)]
    card = population.measure(torch.as_tensor(np.stack(drawn)))
    assert record.marks[1].test == pytest.approx(float(card.score.mean()), abs=1e-5)
    assert record.marks[1].terms == {
        term: pytest.approx(float(value.mean()), abs=1e-5) for term, value in card.utilities.items()
    }
    assert record.spent == {"iterations": 0, "circuits": 0, "shots": 0, "trials": 0, "failed": 0}
    assert (record.curve, record.marks[1].schedule) == ((), {})
    assert record.cpu_seconds > 0


def test_the_second_real_sample_is_measured_with_each_of_its_rows_once(tuner: Tuner) -> None:
    [record] = play(tuner, rows_rival(YARDSTICKS["second real sample"]), n_problems=1)
    instance, population = DATA.instance(0, held_out=True), make_tuner(ENVIRONMENT, 1).population
    population.reset([0], [instance], [0])
    card = population.measure_reserve(instance)
    assert record.marks[1].test == pytest.approx(float(card.score[0]), abs=1e-5)
    assert record.marks[1].terms == {
        term: pytest.approx(float(value[0]), abs=1e-5) for term, value in card.utilities.items()
    }


def test_a_gan_is_measured_with_fresh_noise(tuner: Tuner) -> None:
    [record] = play(tuner, RIVALS["defaults"], n_problems=1)
    instance, population = DATA.instance(0, held_out=True), make_tuner(ENVIRONMENT, 1).population
    seed = held_out_problem("tiny", 0, START).seed
    population.reset([0], [instance], [seed])
    population.apply({name: np.array([value]) for name, value in START.items()})
    moments = []
    for _ in range(2):
        population.advance(1)
        moments.append((float(population.evaluate().score[0]), population.snapshot(0)))
    _, best = max(moments, key=lambda moment: moment[0])
    population.restore(0, best, instance)
    scores = [float(population.evaluate("test", seeds=[fresh]).score[0]) for fresh in fresh_seeds(0)]
    assert record.marks[1].test == pytest.approx(np.mean(scores), abs=1e-4)
    assert record.cpu_seconds > 0


def test_company_changes_nothing(tuner: Tuner) -> None:
    names = ("SMOTE", "kernel density", "duplication")
    together = play(tuner, *(rows_rival(YARDSTICKS[name]) for name in names), RIVALS["defaults"], n_problems=3)
    alone = play(tuner, rows_rival(YARDSTICKS["duplication"]), n_problems=3)
    for one, other in zip(alone, together[6:9], strict=True):
        assert one.marks[1].test == pytest.approx(other.marks[1].test, abs=1e-5)


def test_copies_are_found_out_and_real_rows_are_not(tuner: Tuner) -> None:
    found = {
        name: np.mean([each.marks[1].memorised for each in play(tuner, rows_rival(YARDSTICKS[name]), n_problems=4)])
        for name in ("duplication", "second real sample", "Gaussian mixture")
    }
    assert found["duplication"] > 0.9  # flowers of the two samples may be alike
    assert found["second real sample"] == pytest.approx(0.5, abs=0.12)
    assert 0.3 < found["Gaussian mixture"] < 0.75


def test_rows_that_are_no_numbers_score_nothing() -> None:
    instance, population = DATA.instance(0, held_out=True), make_tuner(ENVIRONMENT, 1).population
    population.reset([0], [instance], [0])
    rows = torch.full((1, ENVIRONMENT.trial.score.n_rows, 2), torch.nan)
    grade = Grade.of(population.measure(rows), 0, rows[0], instance)
    assert (grade.score, grade.memorised) == (0.0, None)
    assert mean_grade([grade, replace(grade, memorised=0.4)]).memorised == 0.4


def test_a_lane_is_given_to_the_instance_that_is_measured(tuner: Tuner) -> None:
    first, second = (DATA.instance(number, held_out=True) for number in range(2))
    tuner.population.reset(range(4), [first] * 4, [0] * 4)
    rows = rows_in_lane(YARDSTICKS["duplication"].fit(second, 0), tuner.population, 2, second, 5)
    assert [each is second for each in tuner.population.instances] == [False, False, True, False]
    assert rows.shape == (ENVIRONMENT.trial.score.n_rows, 2)


def test_only_a_circuit_has_a_classical_twin() -> None:
    names = [each.name for each in yardsticks_of(ENVIRONMENT)]
    assert names == ["classical twin", *YARDSTICKS]
    classical = ENVIRONMENT.replaced(trial=ENVIRONMENT.trial.replaced(generator={"kind": "classical"}, search_space={}))
    assert [each.name for each in yardsticks_of(classical)] == list(YARDSTICKS)

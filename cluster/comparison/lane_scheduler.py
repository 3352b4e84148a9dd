"""Plays many jobs at once on the lanes of one population."""

import dataclasses
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from cluster.comparison.exam import Grade, mean_grade, rows_in_lane
from cluster.comparison.job import ComparisonJob
from cluster.comparison.job_result import JobResult
from cluster.comparison.rival_run import RivalRun, StretchRun
from cluster.comparison.rivals.meter import Meter
from cluster.comparison.rivals.rival import Moment, Setting
from qsynth.data.dataset import Instance
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Snapshot
from qsynth.yardsticks.yardstick import Fitted
from rl_envs.exam import N_FRESH, fresh_seeds
from rl_envs.spaces import RECOVER
from rl_envs.tuner import Tuner


@dataclass
class Exam:
    """A returned GAN, or a yardstick, whose rows are to be measured.

    Attributes:
        marks: the budgets at which it would be returned.
        grades: one for each fresh seed so far.
    """

    rival_run: RivalRun
    marks: list[int]
    made: Snapshot | Fitted
    grades: list[Grade] = field(default_factory=list)


class LaneScheduler:
    """Fills every lane of a tuner with whatever some job needs next; no job's outcome depends on what runs beside it.

    Jobs are taken in order, and those taken first go first. Returned GANs are measured on the test rows, with noise of
    fresh seeds that are the same for all, when their job is over, and nobody is told.

    Args:
        data: where the problems' instances come from.
        take: the next job, or None when there is none (any more).
        done: is given the result of each job.
    """

    def __init__(
        self,
        tuner: Tuner,
        data: DataConfig,
        take: Callable[[], ComparisonJob | None],
        done: Callable[[ComparisonJob, JobResult], None],
    ) -> None:
        self._tuner, self._data, self._take, self._done = tuner, data, take, done
        self._lanes: list[StretchRun | None] = [None] * tuner.population.n_lanes
        self._rival_runs: list[RivalRun] = []
        self._exams: deque[tuple[Exam, int]] = deque()
        self._due: dict[RivalRun, int] = {}
        self._grades: dict[RivalRun, dict[int, Grade]] = {}
        self._instances: dict[tuple[int, bool], Instance] = {}
        self._assigned = False

    def run(self, check: Callable[[], None] = lambda: None) -> None:
        """Play until there are no more jobs.

        Args:
            check: called at every decision; what it raises ends the playing.

        Raises:
            QsynthError: the population broke, or took too long.
        """
        while True:
            check()
            if len(self._exams) > len(self._lanes) // 2 and self._free():
                self._examine()
            self._fill()
            if any(self._lanes):
                self._step()
            elif self._exams:
                self._examine()
            else:
                return

    def _fill(self) -> None:
        """Give every free lane something to do, if there is something."""
        begun: dict[int, StretchRun] = {}
        for lane in self._free():
            stretch_run = self._next()
            if stretch_run is None:
                break
            begun[lane] = stretch_run
        if begun:
            self._begin(begun)

    def _free(self) -> list[int]:
        return [lane for lane, stretch_run in enumerate(self._lanes) if stretch_run is None]

    def _next(self) -> StretchRun | None:
        for rival_run in self._rival_runs:
            if stretch_run := rival_run.take():
                return stretch_run
        # Yardsticks ask for no lane: whoever took them all at once would leave nothing to others.
        while len(self._exams) < len(self._lanes) and (job := self._take()):
            rival_run = self._enter(job)
            if stretch_run := rival_run.take():
                self._rival_runs.append(rival_run)
                return stretch_run
            self._leave(rival_run)
        return None

    def _enter(self, job: ComparisonJob) -> RivalRun:
        episode, problem = self._tuner.episode, job.problem
        setting = Setting(
            problem=problem.number,
            space=self._tuner.search_space,
            features=self._tuner.features,
            start={name: value for name, value in problem.start.items() if name in self._tuner.search_space},
            n_decisions=episode.n_decisions,
            max_step=episode.max_step,
            runs=job.runs,
            seed=problem.seed,
            meter=Meter(budget=job.runs * episode.n_decisions, iterations_per_decision=episode.iterations_per_decision),
            keep=job.keep,
        )
        place = problem.number, problem.held_out
        if place not in self._instances:
            self._instances[place] = self._data.instance(*place)
        return RivalRun(job, setting, self._instances[place])

    def _begin(self, begun: dict[int, StretchRun]) -> None:
        population = self._tuner.population
        lanes, stretch_runs = list(begun), list(begun.values())
        self._assign(stretch_runs[0].rival_run.instance)
        seeds = [each.rival_run.job.problem.seed + each.stretch.trial for each in stretch_runs]
        instances = [each.rival_run.instance for each in stretch_runs]
        population.reset(lanes, instances, seeds)
        starts = []
        for lane, stretch_run in begun.items():
            start = stretch_run.stretch.start or population.snapshot(lane)
            values = start.hyperparameters | dict(stretch_run.stretch.values)
            starts.append(dataclasses.replace(start, hyperparameters=values))
        observation = self._tuner.begin(lanes, instances, seeds, starts)
        for lane, stretch_run in begun.items():
            self._lanes[lane] = stretch_run
            stretch_run.scores.append(float(self._tuner.score[lane]))
            stretch_run.spend += population.lane_evaluation_cost(lane)
            self._look(lane, stretch_run, observation)

    def _assign(self, instance: Instance) -> None:
        """Whatever is not needed yet has to be something."""
        if not self._assigned:
            n_lanes = len(self._lanes)
            self._tuner.population.reset(range(n_lanes), [instance] * n_lanes, [0] * n_lanes)
            self._assigned = True

    def _step(self) -> None:
        """One decision of every lane."""
        population, episode = self._tuner.population, self._tuner.episode
        active = {lane: stretch_run for lane, stretch_run in enumerate(self._lanes) if stretch_run is not None}
        began = time.process_time()
        step = self._tuner.step(self._changes(active))
        cpu_seconds = (time.process_time() - began) / len(active)
        broken = next((reason for reason in step.reason if reason.startswith(("error", "timeout"))), None)
        if broken:
            raise QsynthError(f"the comparison stopped ({broken})")
        for lane, stretch_run in active.items():
            score, values = float(step.score[lane]), self._tuner.values
            stretch_run.rival_run.cpu_seconds += cpu_seconds
            stretch_run.spend += population.lane_cost(lane) * episode.iterations_per_decision
            stretch_run.spend += population.lane_evaluation_cost(lane)
            stretch_run.failed = bool(step.failed[lane])
            stretch_run.values.append({name: float(values[name][lane]) for name in self._tuner.search_space})
            stretch_run.scores.append(score)
            ended = population.iterations[lane] >= episode.n_decisions * episode.iterations_per_decision
            if (
                not stretch_run.failed
                and score > stretch_run.bar
                and (ended or stretch_run.rival_run.job.keep == "best")
            ):
                stretch_run.bar = score
                stretch_run.best[stretch_run.decisions] = population.snapshot(lane)
            over = stretch_run.failed or stretch_run.decisions >= stretch_run.stretch.decisions
            if over or not self._look(lane, stretch_run, step.observation):
                self._end(lane, stretch_run)

    def _look(self, lane: int, stretch_run: StretchRun, observation: np.ndarray) -> bool:
        """Let a rival decide what changes next; whether it goes on."""
        seen = observation[lane].copy()
        values = {name: float(value[lane]) for name, value in self._tuner.values.items()}
        changes = stretch_run.stretch.steer(Moment(stretch_run.decisions, stretch_run.scores[-1], seen, values))
        stretch_run.changes = dict(changes or {})
        if stretch_run.stretch.watched:
            stretch_run.observations.append(seen)
        return changes is not None

    def _changes(self, active: dict[int, StretchRun]) -> dict[str, np.ndarray]:
        present = {**self._tuner.values, RECOVER: np.zeros(len(self._lanes))}
        changes: dict[str, np.ndarray] = {}
        for lane, stretch_run in active.items():
            for name, value in stretch_run.changes.items():
                changes.setdefault(name, present[name].copy())[lane] = value
        return changes

    def _end(self, lane: int, stretch_run: StretchRun) -> None:
        self._lanes[lane] = None
        if stretch_run.stretch.keep and not stretch_run.failed:
            stretch_run.end = self._tuner.population.snapshot(lane)
        stretch_run.rival_run.finish(stretch_run)
        if stretch_run.rival_run.finished:
            self._rival_runs.remove(stretch_run.rival_run)
            self._leave(stretch_run.rival_run)

    def _leave(self, rival_run: RivalRun) -> None:
        """A job is over but for the test rows."""
        exams: dict[int, Exam] = {}
        for mark, found in rival_run.returned.items():
            exams.setdefault(id(found.snapshot), Exam(rival_run, [], found.snapshot)).marks.append(mark)
        if (yardstick := rival_run.job.rival.rows) is not None:
            began = time.process_time()
            fitted = yardstick.fit(rival_run.instance, rival_run.job.problem.seed)
            rival_run.cpu_seconds += time.process_time() - began
            marks = list(rival_run.job.marks)
            if yardstick.ceiling:  # which has its own rows, without noise
                grade = Grade.of_reserve(self._tuner.population, rival_run.instance, "test")
                self._grades[rival_run] = dict.fromkeys(marks, grade)
            else:
                exams[id(fitted)] = Exam(rival_run, marks, fitted)
        self._due[rival_run] = len(exams)
        self._exams.extend((exam, fresh) for exam in exams.values() for fresh in range(N_FRESH))
        if not exams:
            self._report(rival_run)

    def _examine(self) -> None:
        """Measure rows against the test rows, in lanes that are free; the trials in others do not notice."""
        population = self._tuner.population
        sat = dict(zip(self._free(), list(self._exams), strict=False))
        self._assign(self._exams[0][0].rival_run.instance)
        rows = torch.zeros(*population.labels.shape[:2], population.n_features)
        for lane, (exam, fresh) in sat.items():
            seed, rival_run = fresh_seeds(exam.rival_run.job.problem.number)[fresh], exam.rival_run
            rows[lane] = rows_in_lane(exam.made, population, lane, rival_run.instance, seed)
            self._exams.popleft()
        card = population.measure(rows)
        for lane, (exam, _) in sat.items():
            exam.grades.append(Grade.of(card, lane, rows[lane], exam.rival_run.instance))
            if len(exam.grades) == N_FRESH:
                self._due[exam.rival_run] -= 1
                grades = self._grades.setdefault(exam.rival_run, {})
                grades.update(dict.fromkeys(exam.marks, mean_grade(exam.grades)))
                if not self._due[exam.rival_run]:
                    self._report(exam.rival_run)

    def _report(self, rival_run: RivalRun) -> None:
        del self._due[rival_run]
        self._done(rival_run.job, rival_run.record(self._grades.pop(rival_run, {})))

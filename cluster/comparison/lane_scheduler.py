"""Plays many jobs at once on the lanes of one population."""

import dataclasses
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cluster.comparison.job import ComparisonJob
from cluster.comparison.job_result import JobResult
from cluster.comparison.rival_run import RivalRun, StretchRun
from cluster.comparison.rivals.meter import Meter
from cluster.comparison.rivals.rival import Moment, Setting
from qsynth.data.dataset import Instance
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Snapshot
from rl_envs.exam import N_FRESH, fresh_seeds
from rl_envs.spaces import RECOVER
from rl_envs.tuner import Tuner


@dataclass
class Exam:
    """A returned GAN whose test score is to be measured.

    Attributes:
        marks: the budgets at which it would be returned.
        scores: one for each fresh seed so far.
    """

    rival_run: RivalRun
    marks: list[int]
    snapshot: Snapshot
    scores: list[float] = field(default_factory=list)


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
        self._tests: dict[RivalRun, dict[int, float]] = {}
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
        while job := self._take():
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
            start=dict(problem.start),
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
        seeds = [each.rival_run.job.problem.seed + each.stretch.trial for each in stretch_runs]
        instances = [each.rival_run.instance for each in stretch_runs]
        if not self._assigned:  # whatever is not needed yet has to be something
            population.reset(range(len(self._lanes)), instances[:1] * len(self._lanes), seeds[:1] * len(self._lanes))
            self._assigned = True
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

    def _step(self) -> None:
        """One decision of every lane."""
        population, episode = self._tuner.population, self._tuner.episode
        active = {lane: stretch_run for lane, stretch_run in enumerate(self._lanes) if stretch_run is not None}
        step = self._tuner.step(self._changes(active))
        broken = next((reason for reason in step.reason if reason.startswith(("error", "timeout"))), None)
        if broken:
            raise QsynthError(f"the comparison stopped ({broken})")
        for lane, stretch_run in active.items():
            score, values = float(step.score[lane]), self._tuner.values
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
        self._due[rival_run] = len(exams)
        self._exams.extend((exam, fresh) for exam in exams.values() for fresh in range(N_FRESH))
        if not exams:
            self._report(rival_run)

    def _examine(self) -> None:
        """Measure returned GANs on the test rows, in lanes that are free; the trials in others do not notice."""
        population = self._tuner.population
        sat = dict(zip(self._free(), list(self._exams), strict=False))
        for lane, (exam, fresh) in sat.items():
            seed = fresh_seeds(exam.rival_run.job.problem.number)[fresh]
            population.restore(lane, dataclasses.replace(exam.snapshot, seed=seed), exam.rival_run.instance)
            self._exams.popleft()
        card = population.evaluate("test")
        for lane, (exam, _) in sat.items():
            exam.scores.append(float(np.nan_to_num(float(card.score[lane]))))
            if len(exam.scores) == N_FRESH:
                self._due[exam.rival_run] -= 1
                self._tests.setdefault(exam.rival_run, {}).update(
                    dict.fromkeys(exam.marks, float(np.mean(exam.scores)))
                )
                if not self._due[exam.rival_run]:
                    self._report(exam.rival_run)

    def _report(self, rival_run: RivalRun) -> None:
        del self._due[rival_run]
        self._done(rival_run.job, rival_run.record(self._tests.pop(rival_run, {})))

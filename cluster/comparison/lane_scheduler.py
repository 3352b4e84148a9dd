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

    entrant: RivalRun
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
        self._entrants: list[RivalRun] = []
        self._exams: deque[tuple[Exam, int]] = deque()
        self._due: dict[RivalRun, int] = {}
        self._tests: dict[RivalRun, dict[int, float]] = {}
        self._instances: dict[tuple[int, bool], Instance] = {}
        self._assigned = False
        population = tuner.population
        self._evaluation = population.config.cost(
            population.engine, population.config.score.n_rows, population.n_classes
        )

    def run(self, check: Callable[[], None] = lambda: None) -> None:
        """Play until there are no more jobs.

        Args:
            check: called at every decision; what it raises ends the contest.

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
            attempt = self._next()
            if attempt is None:
                break
            begun[lane] = attempt
        if begun:
            self._begin(begun)

    def _free(self) -> list[int]:
        return [lane for lane, attempt in enumerate(self._lanes) if attempt is None]

    def _next(self) -> StretchRun | None:
        for entrant in self._entrants:
            if attempt := entrant.take():
                return attempt
        while job := self._take():
            entrant = self._enter(job)
            if attempt := entrant.take():
                self._entrants.append(entrant)
                return attempt
            self._leave(entrant)
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
        lanes, attempts = list(begun), list(begun.values())
        seeds = [each.entrant.job.problem.seed + each.stretch.trial for each in attempts]
        instances = [each.entrant.instance for each in attempts]
        if not self._assigned:  # whatever is not needed yet has to be something
            population.reset(range(len(self._lanes)), instances[:1] * len(self._lanes), seeds[:1] * len(self._lanes))
            self._assigned = True
        population.reset(lanes, instances, seeds)
        starts = []
        for lane, attempt in begun.items():
            start = attempt.stretch.start or population.snapshot(lane)
            values = start.hyperparameters | dict(attempt.stretch.values)
            starts.append(dataclasses.replace(start, hyperparameters=values))
        observation = self._tuner.begin(lanes, instances, seeds, starts)
        for lane, attempt in begun.items():
            self._lanes[lane] = attempt
            attempt.scores.append(float(self._tuner.score[lane]))
            attempt.spend += self._evaluation
            self._look(lane, attempt, observation)

    def _step(self) -> None:
        """One decision of every lane."""
        population, episode = self._tuner.population, self._tuner.episode
        active = {lane: attempt for lane, attempt in enumerate(self._lanes) if attempt is not None}
        step = self._tuner.step(self._changes(active))
        broken = next((reason for reason in step.reason if reason.startswith(("error", "timeout"))), None)
        if broken:
            raise QsynthError(f"the comparison stopped ({broken}); the same command goes on with it")
        for lane, attempt in active.items():
            score, values = float(step.score[lane]), self._tuner.values
            attempt.spend += population.lane_cost(lane) * episode.iterations_per_decision + self._evaluation
            attempt.failed = bool(step.failed[lane])
            attempt.values.append({name: float(values[name][lane]) for name in self._tuner.search_space})
            attempt.scores.append(score)
            ended = population.iterations[lane] >= episode.n_decisions * episode.iterations_per_decision
            if not attempt.failed and score > attempt.bar and (ended or attempt.entrant.job.keep == "best"):
                attempt.bar = score
                attempt.best[attempt.decisions] = population.snapshot(lane)
            over = attempt.failed or attempt.decisions >= attempt.stretch.decisions
            if over or not self._look(lane, attempt, step.observation):
                self._end(lane, attempt)

    def _look(self, lane: int, attempt: StretchRun, observation: np.ndarray) -> bool:
        """Let the attempt decide what changes next; whether it goes on."""
        seen = observation[lane].copy()
        values = {name: float(value[lane]) for name, value in self._tuner.values.items()}
        changes = attempt.stretch.steer(Moment(attempt.decisions, attempt.scores[-1], seen, values))
        attempt.changes = dict(changes or {})
        if attempt.stretch.watched:
            attempt.observations.append(seen)
        return changes is not None

    def _changes(self, active: dict[int, StretchRun]) -> dict[str, np.ndarray]:
        present = {**self._tuner.values, RECOVER: np.zeros(len(self._lanes))}
        changes: dict[str, np.ndarray] = {}
        for lane, attempt in active.items():
            for name, value in attempt.changes.items():
                changes.setdefault(name, present[name].copy())[lane] = value
        return changes

    def _end(self, lane: int, attempt: StretchRun) -> None:
        self._lanes[lane] = None
        if attempt.stretch.keep and not attempt.failed:
            attempt.end = self._tuner.population.snapshot(lane)
        attempt.entrant.finish(attempt)
        if attempt.entrant.finished:
            self._entrants.remove(attempt.entrant)
            self._leave(attempt.entrant)

    def _leave(self, entrant: RivalRun) -> None:
        """A job is over but for the test rows."""
        exams: dict[int, Exam] = {}
        for mark, found in entrant.returned.items():
            exams.setdefault(id(found.snapshot), Exam(entrant, [], found.snapshot)).marks.append(mark)
        self._due[entrant] = len(exams)
        self._exams.extend((exam, fresh) for exam in exams.values() for fresh in range(N_FRESH))
        if not exams:
            self._report(entrant)

    def _examine(self) -> None:
        """Measure returned GANs on the test rows, in lanes that are free; the trials in others do not notice."""
        population = self._tuner.population
        sat = dict(zip(self._free(), list(self._exams), strict=False))
        for lane, (exam, fresh) in sat.items():
            seed = fresh_seeds(exam.entrant.job.problem.number)[fresh]
            population.restore(lane, dataclasses.replace(exam.snapshot, seed=seed), exam.entrant.instance)
            self._exams.popleft()
        card = population.evaluate("test")
        for lane, (exam, _) in sat.items():
            exam.scores.append(float(np.nan_to_num(float(card.score[lane]))))
            if len(exam.scores) == N_FRESH:
                self._due[exam.entrant] -= 1
                self._tests.setdefault(exam.entrant, {}).update(dict.fromkeys(exam.marks, float(np.mean(exam.scores))))
                if not self._due[exam.entrant]:
                    self._report(exam.entrant)

    def _report(self, entrant: RivalRun) -> None:
        del self._due[entrant]
        self._done(entrant.job, entrant.record(self._tests.pop(entrant, {})))

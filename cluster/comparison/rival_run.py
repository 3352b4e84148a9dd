"""A rival at work on a problem: what it has asked for, what has become of that, what it would return."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cluster.comparison.exam import Grade
from cluster.comparison.job import ComparisonJob
from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.played_trials import Lineage, PlayedTrials
from cluster.comparison.rivals.rival import Course, Outcome, Setting, Stretch
from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Instance
from qsynth.population.snapshot import Snapshot


@dataclass(kw_only=True)
class StretchRun:
    """A stretch on its way.

    Attributes:
        index: in its batch.
        bar: validation score above which a moment may matter.
        scores: validation score at its beginning and after each decision.
        best: decision -> snapshot, of all moments better than any before.
    """

    rival_run: "RivalRun"
    index: int
    stretch: Stretch
    bar: float
    scores: list[float] = field(default_factory=list)
    best: dict[int, Snapshot] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)
    observations: list[np.ndarray] = field(default_factory=list)
    values: list[dict[str, float]] = field(default_factory=list)
    spend: Spend = field(default_factory=Spend)
    failed: bool = False
    end: Snapshot | None = None

    @property
    def decisions(self) -> int:
        """Decisions done."""
        return len(self.scores) - 1

    def outcome(self) -> Outcome:
        """What the rival is told."""
        course = None
        if self.stretch.watched:
            observations = [[float(x) for x in row] for row in self.observations[: self.decisions]]
            course = Course(observations, _by_name(self.values))
        return Outcome(tuple(self.scores), self.failed, self.end, course)

    def lineage(self, origin: Lineage | None) -> Lineage:
        """What became of the trial, after what it went on from."""
        values = self.values[: self.decisions]
        mine = Lineage(values=values, scores=self.scores[1:], spend=self.spend, failed=self.failed)
        return mine if origin is None else origin.then(mine)


@dataclass(frozen=True)
class Incumbent:
    """The best moment so far.

    Attributes:
        score: on validation.
        values: hyperparameters in force during each decision of its trial.
        trial: that trial's number.
    """

    score: float
    snapshot: Snapshot
    values: Sequence[Mapping[str, float]]
    trial: int


class RivalRun:
    """Runs a rival's plan, batch by batch, and keeps its meter, its curve, and what it would return at each mark."""

    def __init__(self, job: ComparisonJob, setting: Setting, instance: Instance) -> None:
        self.job, self.instance, self.meter = job, instance, setting.meter
        self._run = setting.n_decisions
        self._plan = job.rival.plan(setting)
        self._incumbent: Incumbent | None = None
        # By identity: rivals hand snapshots back as they got them. The snapshot is kept, so that no other takes its id.
        self._lineages: dict[int, tuple[Snapshot, Lineage]] = {}
        self._trials: list[Lineage] = []
        self._curve: list[tuple[int, float]] = []
        self._course: Course | None = None
        self.returned: dict[int, Incumbent] = {}
        self.cpu_seconds = 0.0
        self.finished = False
        self._batch: list[StretchRun | None] = []
        self._waiting: deque[tuple[int, Stretch]] = deque()
        self._ask(None)

    def take(self) -> StretchRun | None:
        """A stretch to train, if one waits."""
        if not self._waiting:
            return None
        index, stretch = self._waiting.popleft()
        return StretchRun(
            rival_run=self, index=index, stretch=stretch, bar=-1.0 if self._incumbent is None else self._incumbent.score
        )

    def finish(self, stretch_run: StretchRun) -> None:
        """A stretch has come to its end; when all of its batch have, the rival is told."""
        self._batch[stretch_run.index] = stretch_run
        done = [each for each in self._batch if each is not None]
        if len(done) == len(self._batch):
            for each in done:
                self._settle(each)
            self._ask([each.outcome() for each in done])

    def record(self, grades: dict[int, Grade]) -> JobResult:
        """The result, given what was measured at each mark; 0 where there was nothing to return."""
        marks = {mark: self._at(mark, grades.get(mark)) for mark in self.job.marks}
        return JobResult(
            key=self.job.key,
            study=self.job.problem.study,
            rival=self.job.rival.name,
            problem=self.job.problem.number,
            runs=self.job.runs,
            curve=tuple(self._curve),
            marks=marks,
            spent=self.meter.totals(),
            course=None if self._course is None else dict(vars(self._course)),
            trials=PlayedTrials.of(self._trials, self._run, self.job.keep),
            cpu_seconds=self.cpu_seconds,
        )

    def _at(self, mark: int, grade: Grade | None) -> BudgetResult:
        if grade is None:
            return BudgetResult(validation=0.0, test=0.0)
        found = self.returned.get(mark)
        return BudgetResult(
            validation=0.0 if found is None else found.score,
            test=grade.score,
            schedule={} if found is None else _by_name(found.values),
            trial=0 if found is None else found.trial,
            terms=dict(grade.terms),
            memorised=grade.memorised,
        )

    def _ask(self, outcomes: list[Outcome] | None) -> None:
        try:
            batch = next(self._plan) if outcomes is None else self._plan.send(outcomes)
        except StopIteration:
            self.finished = True
            return
        wanted = sum(stretch.decisions for stretch in batch)
        if not batch or not 0 < wanted <= self.meter.left or min(stretch.decisions for stretch in batch) < 1:
            raise ValueError(
                f"{self.job.rival.name} must ask for 1..{self.meter.left} decisions; got {len(batch)} stretches "
                f"of {wanted} decisions"
            )
        self._batch = [None] * len(batch)
        self._waiting.extend(enumerate(batch))

    def _settle(self, stretch_run: StretchRun) -> None:
        """Book a stretch as if those before it in the batch had come first."""
        before = self.meter.decisions
        start = stretch_run.stretch.start
        origin = None if start is None else self._lineages[id(start)][1]
        trial = stretch_run.lineage(origin)
        self._book(trial, origin)
        if stretch_run.end is not None:
            self._lineages[id(stretch_run.end)] = stretch_run.end, trial
        self.meter.charge(stretch_run.decisions, stretch_run.spend, start is None, stretch_run.failed)
        for decision in range(1, stretch_run.decisions + 1):
            score, snapshot = stretch_run.scores[decision], stretch_run.best.get(decision)
            if snapshot is not None and (self._incumbent is None or score > self._incumbent.score):
                self._incumbent = Incumbent(score, snapshot, trial.values, stretch_run.stretch.trial)
                self._curve.append(((before + decision) * self.meter.iterations_per_decision, score))
            self._mark(before + decision)
        if stretch_run.stretch.watched and self._course is None:
            self._course = stretch_run.outcome().course

    def _book(self, trial: Lineage, origin: Lineage | None) -> None:
        """Keep a trial in the place of what it went on from, or, where another has done so already, beside it."""
        places = [place for place, each in enumerate(self._trials) if each is origin]
        if places:
            self._trials[places[0]] = trial
        else:
            self._trials.append(trial)

    def _mark(self, decisions: int) -> None:
        if self._incumbent is not None:
            self.returned |= {mark: self._incumbent for mark in self.job.marks if decisions <= mark * self._run}


def _by_name(values: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [each[name] for each in values] for name in (values[0] if values else ())}

"""Plays a rival's plan on scores that are known, without a GAN: trials whose score is a function of their values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cluster.comparison.rivals.meter import Meter
from cluster.comparison.rivals.rival import Course, Moment, Outcome, Rival, Setting, Stretch
from qsynth.circuits.spend import Spend
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.space.search_space import Choice, Float, Int, SearchSpace

X: SearchSpace = {"x": Float(low=0.0, high=1.0)}
MIXED: SearchSpace = {
    "rate": Float(low=1e-4, high=1e-1, log=True),
    "share": Float(low=0.0, high=0.9),
    "steps": Int(low=1, high=5),
    "width": Choice(values=(4.0, 8.0, 16.0)),
}
FEATURES = ["progress", "score.now"]


@dataclass(frozen=True)
class Step:
    """One decision of a trial.

    Attributes:
        trial: its number.
        done: decisions that its weights have been trained for before, copies' origins included.
        values: in force.
        before: score before the decision.
    """

    trial: int
    done: int
    values: dict[str, float]
    before: float


Score = Callable[[Step], float | None]  # after the decision; None where the trial diverges


@dataclass(frozen=True)
class PlayedStretch:
    """A stretch with what came of it.

    Attributes:
        values: in force during each decision.
        done: decisions done before it, copies' origins included.
    """

    stretch: Stretch
    outcome: Outcome
    values: list[dict[str, float]]
    done: int

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.stretch.trial

    @property
    def source(self) -> int | None:
        """The trial that it goes on from; None for a new one."""
        return None if self.stretch.start is None else self.stretch.start.seed

    @property
    def end(self) -> float:
        """The score at the end."""
        return self.outcome.scores[-1]


@dataclass
class Game:
    """All that a rival asked for, batch by batch, and its meter at the end."""

    meter: Meter
    batches: list[list[PlayedStretch]] = field(default_factory=list)

    @property
    def stretches(self) -> list[PlayedStretch]:
        """Of all batches."""
        return [each for batch in self.batches for each in batch]

    @property
    def best(self) -> float:
        """The best score after any decision: what the rival would return."""
        return max(max(each.outcome.scores[1:]) for each in self.stretches)


def a_setting(
    space: SearchSpace,
    n_decisions: int,
    runs: int,
    seed: int = 0,
    start: dict[str, float] | None = None,
    keep: Keep = "best",
    problem: int = 0,
) -> Setting:
    """A problem."""
    return Setting(
        problem=problem,
        space=space,
        features=FEATURES,
        start=start or {},
        n_decisions=n_decisions,
        max_step=0.3,
        runs=runs,
        seed=seed,
        meter=Meter(budget=runs * n_decisions, iterations_per_decision=1),
        keep=keep,
    )


def play(rival: Rival, setting: Setting, score: Score, begin: float = 0.0) -> Game:
    """The whole plan; trials start with the score ``begin``, and those that go on with the one they ended with."""
    plan, game = rival.plan(setting), Game(setting.meter)
    batch = next(plan, None)
    while batch is not None:
        assert batch
        played = [_trained(stretch, setting, score, begin) for stretch in batch]
        for each in played:
            fresh, decisions = each.stretch.start is None, len(each.outcome.scores) - 1
            setting.meter.charge(decisions, Spend(), new=fresh, failed=each.outcome.failed)
        game.batches.append(played)
        try:
            batch = plan.send([each.outcome for each in played])
        except StopIteration:
            break
    return game


def _trained(stretch: Stretch, setting: Setting, score: Score, begin: float) -> PlayedStretch:
    # A snapshot's tensors, instance and iteration count are nobody's business here; they carry score and age.
    start = stretch.start
    begun = {"score": begin} if start is None else {"score": float(start.instance)}
    values = (dict(setting.start) if start is None else dict(start.hyperparameters)) | dict(stretch.values)
    done, scores, used, failed = 0 if start is None else start.iteration, [begun["score"]], [], False
    observations = []
    for decision in range(stretch.decisions):
        seen = np.array([decision / setting.n_decisions, scores[-1]], dtype=np.float32)
        changes = stretch.steer(Moment(decision, scores[-1], seen, dict(values)))
        if changes is None:
            break
        values |= changes
        used.append(dict(values))
        observations.append([float(x) for x in seen])
        after = score(Step(stretch.trial, done + decision, dict(values), scores[-1]))
        failed = after is None
        scores.append(0.0 if after is None else float(after))
        if failed:
            break
    end = None
    if stretch.keep and not failed:
        end = Snapshot(
            tensors={},
            hyperparameters=dict(values),
            instance=repr(scores[-1]),
            seed=stretch.trial,
            iteration=done + len(used),
        )
    course = (
        Course(observations, {name: [each[name] for each in used] for name in used[0]}) if stretch.watched else None
    )
    return PlayedStretch(stretch, Outcome(tuple(scores), failed, end, course), used, done)


def table(scores: Sequence[float]) -> Score:
    """Trials that have these scores whatever happens to them."""
    return lambda step: scores[step.trial]


def near(target: dict[str, float], space: SearchSpace) -> Callable[[dict[str, float]], float]:
    """1 at the target, less by the mean distance on the unit scale elsewhere."""

    def closeness(values: dict[str, float]) -> float:
        far = [
            abs(float(each.to_unit(np.array(values[name]))) - float(each.to_unit(np.array(target[name]))))
            for name, each in space.items()
            if name in target
        ]
        return 1.0 - float(np.mean(far))

    return closeness

"""What a rival is: a plan that asks for parts of trials to be trained, and hears what came of them."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cluster.comparison.rivals.meter import Meter
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.space.search_space import SearchSpace
from qsynth.yardsticks.yardstick import Yardstick

FIRST_SEED = 2**62  # seeds of trials above it are never met in training or tuning
SEEDS_PER_PROBLEM = 1 << 20

Values = Mapping[str, float]


@dataclass(frozen=True)
class Moment:
    """A trial at one of its decisions.

    Attributes:
        decision: decisions done since the stretch began.
        score: validation score.
        observation: what agents see, of shape features.
        values: present hyperparameters.
    """

    decision: int
    score: float
    observation: np.ndarray
    values: dict[str, float]


Steer = Callable[[Moment], Values | None]


def hold(moment: Moment) -> Values:
    """Nothing changes."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A trial, or a part of one, that a rival wants trained.

    Attributes:
        trial: the trial's number on this problem; trials of one number start with the same networks whoever asks.
        decisions: how many at most.
        values: hyperparameters to begin with; what is left out is the study's default, or as in ``start``.
        start: where it goes on from; None for a new trial.
        steer: changes before each decision's iterations, or, but not at first, None to end the stretch.
        keep: whether the rival wants the trial as it is at the end, to go on from.
        watched: whether it wants to know what agents saw and which values were in force.
    """

    trial: int
    decisions: int
    values: Values = field(default_factory=dict)
    start: Snapshot | None = None
    steer: Steer = hold
    keep: bool = False
    watched: bool = False


@dataclass(frozen=True)
class Course:
    """What happened in a trial, decision by decision.

    Attributes:
        observations: decisions x features, before each decision's iterations.
        values: name -> value in force during each decision's iterations.
    """

    observations: list[list[float]]
    values: dict[str, list[float]]


@dataclass(frozen=True)
class Outcome:
    """What came of a stretch.

    Attributes:
        scores: validation score at its beginning and after each decision done; 0 where it failed.
        failed: it diverged, and can't be gone on with.
        snapshot: the end of it, if it was to be kept and has not failed.
        course: what happened, if it was to be watched.
    """

    scores: tuple[float, ...]
    failed: bool
    snapshot: Snapshot | None = None
    course: Course | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that a rival knows about the problem before it.

    Attributes:
        problem: the problem's number.
        space: what may be tuned.
        features: names of what agents see.
        start: values that those start from who do not choose their own.
        n_decisions: of a whole run.
        max_step: the farthest move of a float at a decision, as a share of its scale.
        runs: the budget, in runs.
        seed: of the rival's own random numbers.
        meter: what is left of the budget.
        keep: which GANs of a trial may be returned.
    """

    problem: int
    space: SearchSpace
    features: list[str]
    start: dict[str, float]
    n_decisions: int
    max_step: float
    runs: int
    seed: int
    meter: Meter
    keep: Keep


Plan = Generator[list[Stretch], list[Outcome], None]


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A way to spend a budget on a problem.

    A plan yields stretches that don't depend on one another, and is sent their outcomes in the same order; it ends when
    it has had enough. It never learns test scores. What it leaves behind is the trial with the best validation score at
    any decision; parts of one batch count as spent in their order.

    Attributes:
        plan: the plan for a problem.
        anytime: whether it does the same under any budget until that ends: then one run tells of all smaller budgets.
        detail: what it is, in words.
        prepared: GAN iterations spent before it meets any problem of the comparison.
        shared: whether these served all studies.
        only_once: it is of interest for a budget of one run only.
        identity: tells apart what has the same name, such as agents from different files.
        rows: where its rows come from, if its plan asks for nothing.
        optimizer: of its trials, in populations of their own; empty: the study's.
    """

    name: str
    plan: Callable[[Setting], Plan]
    anytime: bool = True
    detail: str = ""
    prepared: int = 0
    shared: bool = False
    only_once: bool = False
    identity: str = ""
    rows: Yardstick | None = None
    optimizer: str = ""


def worth(scores: Sequence[float], keep: Keep) -> float:
    """What a trial returns that had these scores after its decisions."""
    return max(scores) if keep == "best" else scores[-1]


def restarts(setting: Setting, stretch: Callable[[int], Stretch]) -> Plan:
    """Whole runs for as long as the budget pays for another one; what failing trials left over pays for more.

    Args:
        stretch: a trial's, by its number.
    """
    number = 0
    while n_runs := setting.meter.left // setting.n_decisions:
        yield [stretch(trial) for trial in range(number, number + n_runs)]
        number += n_runs

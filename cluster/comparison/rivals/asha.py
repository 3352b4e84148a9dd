"""Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020)."""

from dataclasses import dataclass

import numpy as np

from cluster.comparison.rivals.rival import Plan, Rival, Setting, Stretch
from qsynth.population.snapshot import Snapshot
from qsynth.space.search_space import random_point

ETA = 4
N_RUNGS = 3


@dataclass(frozen=True)
class _Paused:
    """A trial that has come to the end of a rung."""

    trial: int
    score: float
    snapshot: Snapshot


class _Rung:
    """Trials that have come as far; ``seen`` counts those that failed too."""

    def __init__(self) -> None:
        self.paused: list[_Paused] = []
        self.promoted: set[int] = set()
        self.seen = 0

    def promotable(self) -> _Paused | None:
        """The best of the first 1/eta that has not been promoted."""
        ranked = sorted(self.paused, key=lambda each: -each.score)[: self.seen // ETA]
        return next((each for each in ranked if each.trial not in self.promoted), None)


def rungs(n_decisions: int) -> list[int]:
    """Decisions after which trials are compared; the last is a whole run."""
    return sorted({max(1, n_decisions // ETA**power) for power in range(N_RUNGS)})


def _plan(setting: Setting) -> Plan:
    """Algorithm 2 with one worker: promote out of the highest rung where that can be done, else begin a trial."""
    random, ends = np.random.default_rng(setting.seed), rungs(setting.n_decisions)
    ladder = [_Rung() for _ in ends]
    trials = 0
    while setting.meter.left:
        place, best = next(
            ((place, best) for place in reversed(range(len(ends) - 1)) if (best := ladder[place].promotable())),
            (-1, None),
        )
        wanted = ends[place + 1] - (0 if best is None else ends[place])
        decisions = min(wanted, setting.meter.left)
        if best is None:
            stretch = Stretch(trial=trials, decisions=decisions, values=random_point(setting.space, random), keep=True)
            trials += 1
        else:
            ladder[place].promoted.add(best.trial)
            stretch = Stretch(trial=best.trial, decisions=decisions, start=best.snapshot, keep=True)
        [outcome] = yield [stretch]
        ladder[place + 1].seen += 1
        if outcome.snapshot is not None:
            ladder[place + 1].paused.append(_Paused(stretch.trial, outcome.scores[-1], outcome.snapshot))


ASHA = Rival(
    name="ASHA",
    plan=_plan,
    detail=f"random constants; the best 1/{ETA} then go on at 1/{ETA**2} and 1/{ETA} of a run (Li et al. 2020)",
)

"""Trials that no other beats in score for as few circuits, or shots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cluster.comparison.job_result import JobResult

PRICES = ("circuits", "shots")


@dataclass(frozen=True, kw_only=True)
class TrialPoint:
    """A trial's score, and what the trial itself took; not what the search for it did.

    Attributes:
        score: validation, less the mean of all whole trials on its problem, and with that over all problems instead:
            problems differ in what can be reached on them.
        validation: the score as it was.
        whole: whether it was not cut short.
        held: whether its hyperparameters were constants.
        values: of the last decision.
    """

    rival: str
    problem: int
    score: float
    validation: float
    whole: bool
    circuits: int
    shots: int
    held: bool
    values: dict[str, float]


@dataclass(frozen=True)
class Fronts:
    """All trials of a study, and the Pareto fronts among them: of score against circuits, and against shots.

    Scores are on validation and of the best of many, so they flatter the front.

    Attributes:
        points: a trial each.
        circuits, shots: places in ``points``, the cheapest first; no shots where trials took none.
    """

    points: tuple[TrialPoint, ...]
    circuits: tuple[int, ...]
    shots: tuple[int, ...]

    def front(self, price: str) -> list[TrialPoint]:
        """Those that no other beats, the cheapest first."""
        return [self.points[place] for place in getattr(self, price)]

    def to_dict(self) -> dict[str, Any]:
        """The fronts as JSON values, without the trials behind them."""
        return {"trials": len(self.points)} | {price: [vars(each) for each in self.front(price)] for price in PRICES}


def fronts_of(records: Sequence[JobResult]) -> Fronts:
    """Of everybody's trials on one study's held-out problems; records without trials are passed over."""
    known = [(record, record.trials) for record in records if record.trials is not None]
    levels: dict[int, list[float]] = {}
    for record, trials in known:
        whole = [score for score, whole in zip(trials.scores, trials.whole, strict=True) if whole]
        levels.setdefault(record.problem, []).extend(whole)
    means = {problem: float(np.mean(scores)) for problem, scores in levels.items() if scores}
    overall = float(np.mean(list(means.values()))) if means else 0.0
    points = tuple(
        TrialPoint(
            rival=record.rival,
            problem=record.problem,
            score=trials.scores[place] - means[record.problem] + overall,
            validation=trials.scores[place],
            whole=trials.whole[place],
            circuits=trials.circuits[place],
            shots=trials.shots[place],
            held=trials.held[place],
            values={name: values[place] for name, values in trials.values.items()},
        )
        for record, trials in known
        if record.problem in means
        for place in range(len(trials.scores))
    )
    scores = [each.score for each in points]
    any_shots = any(each.shots for each in points)
    return Fronts(
        points,
        pareto_front([each.circuits for each in points], scores),
        pareto_front([each.shots for each in points], scores) if any_shots else (),
    )


def pareto_front(prices: Sequence[float], scores: Sequence[float]) -> tuple[int, ...]:
    """Places of those with a higher score than all that cost as little or less, the cheapest first."""
    front: list[int] = []
    for place in np.lexsort((-np.asarray(scores, dtype=float), np.asarray(prices, dtype=float))):
        if not front or scores[place] > scores[front[-1]]:
            front.append(int(place))
    return tuple(front)

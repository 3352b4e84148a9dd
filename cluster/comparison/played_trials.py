"""All trials of a job, in little space: what they were trained with, what they reached, what they took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from cluster.comparison.rivals.rival import worth
from qsynth.circuits.spend import Spend
from qsynth.population.snapshot import Keep

LARGEST = 1e30  # that a score or a hyperparameter can be, so that sums of squares are numbers


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """A trial so far, from its networks' beginning; a copy has its origin's course before its own.

    Attributes:
        values: hyperparameters in force during each decision.
        scores: validation score after each decision; 0 where it failed.
        spend: circuits and shots that all of it was expected to take.
    """

    values: Sequence[Mapping[str, float]]
    scores: Sequence[float]
    spend: Spend
    failed: bool

    def then(self, further: "Lineage") -> "Lineage":
        """With what came after it."""
        return Lineage(
            values=[*self.values, *further.values],
            scores=[*self.scores, *further.scores],
            spend=self.spend + further.spend,
            failed=further.failed,
        )


@dataclass(frozen=True, kw_only=True)
class PlayedTrials:
    """Columns with an entry for each trial, in the order in which they began.

    Attributes:
        values: name -> value during the last decision, to six digits; of the hyperparameters that its rival may tune.
        held: whether all values were the same during all decisions.
        whole: whether it came to the end of a run, or diverged before; others were cut short.
        scores: validation, of what it might return: its best at any decision, or the one at its end.
        circuits, shots: that its training and validation were expected to take.
    """

    values: dict[str, tuple[float, ...]]
    held: tuple[bool, ...]
    whole: tuple[bool, ...]
    scores: tuple[float, ...]
    circuits: tuple[int, ...]
    shots: tuple[int, ...]

    @classmethod
    def of(cls, trials: Sequence[Lineage], n_decisions: int, keep: Keep) -> Self:
        """What became of trials.

        Args:
            n_decisions: of a whole run.
        """
        names = sorted(trials[0].values[0]) if trials else []
        return cls(
            values={name: tuple(_short(each.values[-1][name]) for each in trials) for name in names},
            held=tuple(all(values == each.values[0] for values in each.values) for each in trials),
            whole=tuple(each.failed or len(each.scores) >= n_decisions for each in trials),
            scores=tuple(_short(worth(each.scores, keep)) for each in trials),
            circuits=tuple(each.spend.circuits for each in trials),
            shots=tuple(each.spend.shots for each in trials),
        )

    def check(self) -> None:
        """Find out whether every column has as many entries, of numbers that can be.

        Raises:
            ValueError: it is not so.
        """
        columns = (self.held, self.whole, self.scores, self.circuits, self.shots)
        if len({len(each) for each in (*columns, *self.values.values())}) > 1:
            raise ValueError("columns of trials with different numbers of entries")
        if not all((np.abs(each) < LARGEST).all() for each in (self.scores, *self.values.values())):
            raise ValueError("scores or hyperparameters of trials that are no numbers")


def _short(value: float) -> float:
    return float(f"{value:.6g}")

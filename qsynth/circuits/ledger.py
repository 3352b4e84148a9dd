"""What an engine has spent on circuits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pennylane as qp

from qsynth.circuits.spend import Spend


class Work(NamedTuple):
    """What one GAN iteration of a trial takes, evaluations apart.

    Attributes:
        outputs: circuits for the critic's fakes and the generator's batch.
        gradient: further ones for the gradient of the generator's batch, by ``method``.
        shots: of all these circuits together, None where they are exact.
    """

    outputs: int
    gradient: int
    method: str
    shots: int | None


class Ledger:
    """What one engine has spent so far."""

    def __init__(self) -> None:
        self.spent = Spend()

    def book(self, spend: Spend) -> None:
        """Add to what is spent."""
        self.spent += spend

    @contextmanager
    def counting(self, device: Any) -> Iterator[None]:
        """Book what a PennyLane device reports of the block, gradients included, even if the block fails."""
        with qp.Tracker(device) as tracker:
            try:
                yield
            finally:
                totals = tracker.totals
                self.book(Spend(int(totals.get("executions", 0)), int(totals.get("shots", 0))))

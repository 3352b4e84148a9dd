"""The one budget meter of a comparison."""

from dataclasses import dataclass, field

from qsynth.circuits.spend import Spend


@dataclass(kw_only=True)
class Meter:
    """What a rival may spend on a problem, and what it has spent there; failed trials are charged like all others.

    Attributes:
        budget: decisions that it may spend. Every trial takes the same GAN iterations from one decision to the next.
        iterations_per_decision: how many these are.
        decisions: decisions spent.
        trials: trials begun; failed: those of them that diverged.
        spend: circuits and shots that training and validation are expected to take on the study's engine.
    """

    budget: int
    iterations_per_decision: int
    decisions: int = 0
    trials: int = 0
    failed: int = 0
    spend: Spend = field(default_factory=Spend)

    @property
    def left(self) -> int:
        """Decisions that may still be spent."""
        return self.budget - self.decisions

    @property
    def iterations(self) -> int:
        """GAN iterations spent."""
        return self.decisions * self.iterations_per_decision

    def charge(self, decisions: int, spend: Spend, new: bool, failed: bool) -> None:
        """Book a part of a trial, its first one if ``new``.

        Raises:
            ValueError: it is more than is left.
        """
        if decisions > self.left:
            raise ValueError(f"at most {self.left} decisions are left to spend; got {decisions}")
        self.decisions += decisions
        self.spend += spend
        self.trials += new
        self.failed += failed

    def totals(self) -> dict[str, int]:
        """What is spent, by name."""
        return {
            "iterations": self.iterations,
            "circuits": self.spend.circuits,
            "shots": self.spend.shots,
            "trials": self.trials,
            "failed": self.failed,
        }

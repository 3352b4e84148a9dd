"""How far a curriculum's training is; every checkpoint keeps it."""

from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from qsynth.errors import FileError
from rl_envs.policy import PolicyFile


@dataclass(frozen=True)
class ExaminationResult:
    """What the agent got in one examination.

    Attributes:
        trials: that it had been trained on by then.
        scores: task -> mean score.
    """

    trials: int
    scores: dict[str, float]

    @property
    def total(self) -> float:
        """All tasks together."""
        return sum(self.scores.values())


@dataclass(kw_only=True)
class PretrainingState:
    """What a resume needs, beside the trainer's own state.

    Attributes:
        tier: the curriculum's tier that is trained.
        trials, iterations, core_seconds: spent before that tier, the training of the agent it began with included.
        examined: in that tier so far.
        about: what is written in the agent's file about it (JSON).
    """

    tier: int = 0
    trials: int = 0
    iterations: float = 0.0
    core_seconds: float = 0.0
    examined: list[ExaminationResult] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def fresh(cls, start: PolicyFile | None) -> Self:
        """Of a run that begins, with an agent's file to go on from or with none."""
        if start is None:
            return cls()
        return cls(
            trials=int(start.trained("trials")),
            iterations=start.trained("iterations"),
            core_seconds=3600 * start.trained("core_hours"),
        )

    @classmethod
    def of(cls, stored: object) -> Self:
        """What a checkpoint kept.

        Raises:
            FileError: it is something else.
        """
        try:
            return TypeAdapter(cls).validate_python(stored)
        except ValidationError:
            raise FileError("a checkpoint must hold the state of a curriculum's training; begin a new run") from None

    def begin(self, tier: int) -> None:
        """A tier begins; what was examined before counts no more."""
        self.tier, self.examined = tier, []

    def forget(self) -> None:
        """The best agent's file is lost; what it was better than counts no more."""
        self.examined = []

    def best(self) -> float | None:
        """The best total score of an examination in this tier."""
        return max((each.total for each in self.examined), default=None)

    def stale(self, patience: int) -> bool:
        """Whether the last ``patience`` examinations brought nothing better."""
        totals = [each.total for each in self.examined]
        return bool(totals) and len(totals) - 1 - totals.index(max(totals)) >= patience

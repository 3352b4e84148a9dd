"""What an experiment of Ray Tune may spend."""

from collections.abc import Callable
from typing import Any

from ray import tune


class DecisionBudget(tune.Stopper):  # type: ignore[misc]  # Ray has no types
    """Ends an experiment after so many decisions of all its trials, or when somebody asks for it.

    Args:
        decisions: that there are.
        asked: whether it is to end now.
    """

    def __init__(self, decisions: int, asked: Callable[[], bool] = lambda: False) -> None:
        self._decisions, self._asked = decisions, asked
        self.used = 0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """A decision is over; whether its trial is to end."""
        self.used += 1
        return self.stop_all()

    def stop_all(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self._decisions or self._asked()

    def __getstate__(self) -> dict[str, Any]:
        """Without who asks, as Tune keeps a copy in its folder."""
        return {**vars(self), "_asked": bool}

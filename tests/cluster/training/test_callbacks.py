"""What is reported of a trial that has ended."""

from typing import Any

import pytest

from cluster.training.callbacks import TrialCallbacks


class Episode:
    """One that ends for a reason."""

    def __init__(self, reason: str) -> None:
        self._info = {"reason": reason, "score": 0.7}

    def get_infos(self, index: int) -> dict[str, Any]:
        """The last one."""
        return self._info


class Logger:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def log_value(self, name: str, value: float, **how: Any) -> None:
        """Keep it."""
        self.values[name] = value


@pytest.mark.parametrize(
    ("reason", "failed", "score"), [("budget", 0, 0.7), ("shots", 0, 0.7), ("diverged", 1, 0.0), ("timeout", 1, 0.0)]
)
def test_only_trials_that_broke_have_failed(reason: str, failed: int, score: float) -> None:
    logger = Logger()
    TrialCallbacks().on_episode_end(episode=Episode(reason), metrics_logger=logger)
    assert logger.values == {"final_score": score, "failed_trials": failed}

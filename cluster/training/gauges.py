"""What a study shows on Ray's /metrics, for Prometheus and Grafana; tag ``study`` is the run's name."""

import math
from typing import Any

from cluster.training.agent_trainer import Progress

GAUGES = {
    "qsynth_score": "Mean final score of the latest trials.",
    "qsynth_lanes": "Trials that run side by side.",
    "qsynth_empty_iterations": "Training iterations in a row that sampled nothing.",
    "qsynth_journal_lag_seconds": "How long MLflow has not had everything.",
}
COUNTERS = {
    "qsynth_trials": "Trials of the agent's training that have ended.",
    "qsynth_sampled_steps": "Decisions that the agent has learned from.",
    "qsynth_divergences": "Trials that ended early: diverged, out of time or memory.",
    "qsynth_shots": "Shots spent on devices.",
}


class StudyGauges:
    """The metrics of one study. Ray adds ``ray_`` to their names, and ``_total`` to those of counters.

    Args:
        study: the run's name.
    """

    def __init__(self, study: str) -> None:
        from ray.util.metrics import Counter, Gauge

        made: list[Any] = [Gauge(name, text, ("study",)) for name, text in GAUGES.items()]
        made += [Counter(name, text, ("study",)) for name, text in COUNTERS.items()]
        self._metrics = dict(zip((*GAUGES, *COUNTERS), made, strict=True))
        for metric in made:
            metric.set_default_tags({"study": study})
        self._counted: dict[str, float] = {}

    def iteration(self, progress: Progress, n_lanes: int, lag_seconds: float) -> None:
        """Show an iteration of the agent's training; gauges are set each time, for Ray forgets them otherwise.

        Args:
            n_lanes: trials that run side by side, in all populations together.
        """
        values = {
            "qsynth_score": progress.mean_score,
            "qsynth_lanes": n_lanes,
            "qsynth_empty_iterations": progress.empty,
            "qsynth_journal_lag_seconds": lag_seconds,
        }
        for name, value in values.items():
            if math.isfinite(value):
                self._metrics[name].set(value)
        self.count("qsynth_trials", progress.trials)
        self.count("qsynth_sampled_steps", progress.sampled_steps)
        self.count("qsynth_divergences", progress.failures)

    def count(self, name: str, total: float) -> None:
        """Raise one of ``COUNTERS`` to ``total``; a smaller one than before changes nothing."""
        before = self._counted.get(name, 0.0)
        if total > before:
            self._metrics[name].inc(total - before)
            self._counted[name] = total

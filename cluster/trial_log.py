"""Evaluated trials as child runs in MLflow."""

import re

from cluster.tracking import Tracker
from rl_envs.rollout import Episode


def log_trials(tracker: Tracker, contender: str, episodes: list[Episode], iterations_per_decision: int) -> None:
    """One child run a trial: its score, raw metrics and hyperparameters at each decision (step: GAN iterations)."""
    for episode in episodes:
        key = re.sub(r"[^A-Za-z0-9 _.:/=,+-]", " ", f"{contender}/{episode.instance}").strip()
        start = {f"start.{name}": float(values[0]) for name, values in episode.schedule.items()}
        tags = {"qsynth.contender": contender, "qsynth.instance": episode.instance, "qsynth.reason": episode.reason}
        tracker.start_trial(key, {"seed": str(episode.seed), **start}, tags)
        for decision, score in enumerate(episode.scores):
            metrics = {"score": float(score)}
            metrics |= {f"raw.{name}": float(values[decision]) for name, values in episode.raw.items()}
            if decision < len(episode.scores) - 1:
                metrics |= {f"hyperparameters.{n}": float(values[decision]) for n, values in episode.schedule.items()}
            tracker.log(metrics, step=decision * iterations_per_decision, trial=key)
        final = {f"test.{name}": value for name, value in episode.test_raw.items()}
        if episode.test_score is not None:
            final["test.score"] = episode.test_score
        tracker.log(final, step=(len(episode.scores) - 1) * iterations_per_decision, trial=key)
        tracker.end_trial(key)

"""What RLlib's workers report about trials, through RLlib's own metrics."""

from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback


class TrialCallbacks(RLlibCallback):  # type: ignore[misc]
    """Logs the final score of each trial and counts the ones that failed."""

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **kwargs: Any) -> None:
        """Called by an EnvRunner when a trial has ended."""
        info = episode.get_infos(-1)
        failed = bool(info["reason"]) and info["reason"] != "budget"
        metrics_logger.log_value("final_score", 0.0 if failed else float(info["score"]), reduce="mean", window=200)
        metrics_logger.log_value("failed_trials", int(failed), reduce="lifetime_sum")

"""What RLlib's workers report about trials, through RLlib's own metrics."""

from typing import Any

import numpy as np
import torch
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.columns import Columns

from cluster.training.rllib_settings import ENTROPY
from rl_envs.rollout import SPENT


class TrialCallbacks(RLlibCallback):  # type: ignore[misc]
    """Logs the final score of each trial, counts the ones that failed, and tells how undecided the policy is."""

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **kwargs: Any) -> None:
        """Called by an EnvRunner when a trial has ended."""
        info = episode.get_infos(-1)
        failed = bool(info["reason"]) and info["reason"] not in SPENT
        metrics_logger.log_value("final_score", 0.0 if failed else float(info["score"]), reduce="mean", window=200)
        metrics_logger.log_value("failed_trials", int(failed), reduce="lifetime_sum")

    def on_sample_end(self, *, env_runner: Any, metrics_logger: Any, samples: list[Any], **kwargs: Any) -> None:
        """Called by an EnvRunner with the episodes, or parts of them, that it has sampled."""
        inputs = [np.asarray(part.get_extra_model_outputs(Columns.ACTION_DIST_INPUTS)) for part in samples if len(part)]
        if inputs:
            for name, value in env_runner.module.policy.entropies(torch.as_tensor(np.concatenate(inputs))).items():
                metrics_logger.log_value((ENTROPY, name), value, reduce="mean", window=1)

"""What PPO is told to do: the project's settings, and RLlib's made of them."""

import logging
from typing import Any

from cluster.study.ppo_config import PPOConfig
from rl_envs.spaces import Entries

# A batch of many populations is divided no further than this; the learner would not keep up with their sampling.
MAX_MINIBATCHES = 16
ENTROPY = "entropy"  # name of a metric


def rllib_settings(config: PPOConfig, actions: Entries, batch: int, seed: int | None) -> Any:
    """RLlib's PPO of a :class:`cluster.training.rl_module.TuningModule` on vector environments.

    It learns in the calling process.

    Which environment it is and who samples it is the caller's to add.

    Args:
        actions: what the agent may do.
        batch: decisions that an update learns from.
        seed: of the process's random numbers; None leaves them alone.
    """
    from ray.rllib.algorithms.ppo import PPOConfig as RLlibConfig
    from ray.rllib.core.rl_module.rl_module import RLModuleSpec

    from cluster.training.rl_module import TuningModule

    # Its advice on API stacks is for those who write algorithms; errors still show.
    logging.getLogger("ray.rllib").setLevel(logging.ERROR)
    return (
        RLlibConfig()
        .environment(normalize_actions=False, clip_actions=False)
        .env_runners(gym_env_vectorize_mode="vector_entry_point", batch_mode="truncate_episodes")
        .learners(num_learners=0)
        .training(
            lr=config.lr,
            gamma=config.gamma,
            lambda_=config.gae_lambda,
            clip_param=config.clip,
            entropy_coeff=config.entropy,
            use_kl_loss=False,
            grad_clip=config.grad_clip,
            num_epochs=config.epochs,
            minibatch_size=min(max(config.minibatch, -(-batch // MAX_MINIBATCHES)), batch),
            train_batch_size_per_learner=batch,
            vf_clip_param=10.0,
        )
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=TuningModule,
                model_config={
                    "search_space": {name: entry.model_dump() for name, entry in actions.items()},
                    "policy": config.policy.model_dump(mode="json"),
                },
            )
        )
        .debugging(seed=seed, log_level="ERROR")
    )

"""The GAN population as Gymnasium environments, and the agents that act in them.

Importing this package registers ``QGANTuning-v0``, single and vector; what the environment is, its class says
(:class:`rl_envs.tuning_env.QGANTuningEnv`).
"""

import gymnasium

gymnasium.register(
    "QGANTuning-v0",
    entry_point="rl_envs.tuning_env:QGANTuningEnv",
    vector_entry_point="rl_envs.vector_env:QGANTuningVectorEnv",
)

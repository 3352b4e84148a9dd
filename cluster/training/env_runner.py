"""RLlib's sampling actor under a name that says whose it is."""

from typing import Any

from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

from rl_envs.watchdog import Watchdog

RUN = "run"


class PopulationRunner(SingleAgentEnvRunner):  # type: ignore[misc]
    """One population that samples for the agent's training. RLlib gives its actors no names; Ray shows this instead."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if self.worker_index:  # 0 is in the driver, in whose place nobody starts another
            Watchdog.allow()

    def __repr__(self) -> str:
        return f"{self.config.env_config[RUN]}:agent-population-{self.worker_index}"

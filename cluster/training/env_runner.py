"""RLlib's sampling actor under a name that says whose it is."""

from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

RUN = "run"


class PopulationRunner(SingleAgentEnvRunner):  # type: ignore[misc]
    """One population that samples for the agent's training. RLlib gives its actors no names; Ray shows this instead."""

    def __repr__(self) -> str:
        return f"{self.config.env_config[RUN]}:agent-population-{self.worker_index}"

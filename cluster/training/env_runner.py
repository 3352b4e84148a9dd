"""RLlib's sampling actor under a name that says whose it is, with random numbers that a resume repeats."""

from typing import Any

import torch
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner

from qsynth.rng import derived_seed
from rl_envs.watchdog import Watchdog

RUN = "run"


class PopulationRunner(SingleAgentEnvRunner):  # type: ignore[misc]
    """One population that samples for the agent's training. RLlib gives its actors no names; Ray shows this instead.

    Each sample begins with untrained GANs, and with random numbers of its own. They hang on the seed, on which
    population it is, on how many updates the policy has behind it, and on how many samples the population has drawn
    with that policy. So a population that was lost, or that a resume made, draws what the one before it would have
    drawn. What is lost by it: where trials end early, the ones that followed them are cut at the batch's end.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._drawn = (-1, 0)  # with which update's policy, and how often
        if self.worker_index:  # 0 is in the driver, in whose place nobody starts another
            Watchdog.allow()

    def sample(self, **how: Any) -> Any:
        """Episodes, or parts of them, from their beginning on."""
        update, count = self._drawn
        self._drawn = self._weights_seq_no, count + 1 if update == self._weights_seq_no else 0
        self._seed = derived_seed(self.config.seed, self.worker_index, *self._drawn)
        torch.manual_seed(self._seed)
        self._needs_initial_reset = True
        return super().sample(**how)

    def __repr__(self) -> str:
        return f"{self.config.env_config[RUN]}:agent-population-{self.worker_index}"

"""A policy that learns by PPO from one problem's trials, without environments of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from gymnasium import spaces
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.env.single_agent_episode import SingleAgentEpisode

from cluster.study.ppo_config import PPOConfig
from cluster.training.rllib_settings import rllib_settings
from qsynth.rng import derived_seed
from rl_envs.observation import LIMIT
from rl_envs.policy import PolicyNetwork
from rl_envs.spaces import Entries, action_space

Actions = dict[str, np.ndarray]


class Trajectory:
    """What was seen and done in a trial, decision by decision."""

    def __init__(self) -> None:
        self.observations: list[np.ndarray] = []
        self.actions: list[Actions] = []
        self.log_probabilities: list[float] = []
        self.parameters: list[np.ndarray] = []

    def episode(self, rewards: np.ndarray) -> SingleAgentEpisode:
        """As RLlib wants it; no reward comes after the last decision, so what is seen then does not matter."""
        done = len(rewards)
        return SingleAgentEpisode(
            observations=[*self.observations[:done], self.observations[done - 1]],
            actions=self.actions[:done],
            rewards=[float(reward) for reward in rewards],
            terminated=True,
            extra_model_outputs={
                Columns.ACTION_LOGP: self.log_probabilities[:done],
                Columns.ACTION_DIST_INPUTS: self.parameters[:done],
            },
            len_lookback_buffer=0,
        )


class PolicyLearner:
    """RLlib's PPO learner in this process.

    Torch's global random numbers are left as they were: many learners and trials share the process, and none is to
    depend on the others.

    Args:
        n_features: of an observation.
        start: the policy to go on from, if not a new one.
        seed: of the networks.
    """

    def __init__(
        self, config: PPOConfig, actions: Entries, n_features: int, start: PolicyNetwork | None, seed: int
    ) -> None:
        self._epochs, self._action_space = config.epochs, action_space(actions)
        box = spaces.Box(-LIMIT, LIMIT, (n_features,), np.float32)
        with _seeded([seed]):
            settings = rllib_settings(config, actions, config.minibatch, seed=None)
            self._learner = settings.build_learner(spaces={DEFAULT_MODULE_ID: (box, self._action_space)})
        self._module = self._learner.module[DEFAULT_MODULE_ID]
        if start is not None:
            self.policy.load_state_dict(start.state_dict())

    @property
    def policy(self) -> PolicyNetwork:
        """The present policy; it changes as this learns."""
        policy: PolicyNetwork = self._module.policy
        return policy

    @torch.no_grad()
    def explore(self, observation: np.ndarray, trajectory: Trajectory, seed: Sequence[int]) -> Actions:
        """Actions drawn from the policy, name -> 1 x 1 (float) or 1 (discrete); ``trajectory`` keeps them.

        Args:
            observation: 1 x features.
        """
        with _seeded(seed):
            parameters = self.policy(torch.from_numpy(observation))
            distribution = self._module.get_exploration_action_dist_cls().from_logits(parameters)
            sampled = distribution.sample()
        actions = {name: action.numpy() for name, action in sampled.items()}
        trajectory.observations.append(observation[0])
        trajectory.actions.append({name: action[0] for name, action in actions.items()})
        trajectory.log_probabilities.append(float(distribution.logp(sampled)))
        trajectory.parameters.append(parameters[0].numpy())
        return actions

    def learn(self, episodes: list[SingleAgentEpisode]) -> None:
        """One update from trials under the present policy, each of its epochs a gradient step on all of them."""
        with _seeded([0]):
            self._learner.update(episodes=episodes, num_epochs=self._epochs)


@contextmanager
def _seeded(seed: Sequence[int]) -> Iterator[None]:
    """Torch's global random numbers begin anew, a pure function of ``seed``, and are as before afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(*seed))
        yield

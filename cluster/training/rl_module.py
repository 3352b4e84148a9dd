"""The agent's network inside RLlib."""

from typing import Any

import torch
from pydantic import TypeAdapter
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import (
    TorchCategorical,
    TorchDiagGaussian,
    TorchMultiDistribution,
)
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from rl_envs.policy import PolicyConfig, PolicyNetwork, mlp
from rl_envs.spaces import ActionEntry


class TuningModule(TorchRLModule, ValueFunctionAPI):  # type: ignore[misc]
    """:class:`PolicyNetwork` with a value network of its own.

    RLlib's default for a Dict action space shares a trunk with the value function, lets the log standard deviations of
    the floats depend on the state without bounds, and starts anywhere; this one starts at "stay".
    """

    def setup(self) -> None:
        """Build both networks from ``model_config`` (``search_space`` and ``policy`` as plain data)."""
        torch.set_num_threads(1)
        space = TypeAdapter(dict[str, ActionEntry]).validate_python(self.model_config["search_space"])
        config = PolicyConfig.model_validate(self.model_config["policy"])
        n_features = self.observation_space.shape[0]
        self.policy = PolicyNetwork(n_features, space, config)
        if not self.inference_only:
            self.value = mlp(n_features, config.hidden, 1)
        self.action_dist_cls = TuningActions.get_partial_dist_cls(policy=self.policy)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {Columns.ACTION_DIST_INPUTS: self.policy(batch[Columns.OBS])}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:
        """State values, of shape batch."""
        return self.value(batch[Columns.OBS]).squeeze(-1)  # type: ignore[no-any-return]


class TuningActions(TorchMultiDistribution):  # type: ignore[misc]
    """Discrete actions first, then the floats, whose means may depend on what the discrete ones are.

    A log-probability is of the same distribution wherever it is computed, for nothing is clamped after sampling. An
    entropy is the sum over all actions, as moving a mean does not change its distribution's.
    """

    @classmethod
    def from_logits(cls, logits: Tensor, *, policy: PolicyNetwork, **kwargs: Any) -> "TuningActions":
        """Of parameters as :meth:`rl_envs.policy.PolicyNetwork.forward` gives them."""
        parts, shifts = policy.parts(logits)
        made = cls(
            {
                name: (TorchDiagGaussian if name in policy.floats else TorchCategorical).from_logits(part)
                for name, part in parts.items()
            }
        )
        made._policy, made._parts, made._shifts = policy, parts, shifts
        return made

    def sample(self, **kwargs: Any) -> dict[str, Tensor]:
        """Actions by name."""
        if not self._policy.n_shifts:
            sampled: dict[str, Tensor] = super().sample()
            return sampled
        discrete = {name: self._original_struct[name].sample() for name in self._policy.discrete}
        floats = {name: each.sample() for name, each in self._floats(discrete).items()}
        return {name: discrete[name] if name in discrete else floats[name] for name in self._original_struct}

    def logp(self, value: dict[str, Tensor]) -> Tensor:
        """Log-probabilities of actions (name -> lanes x 1 or lanes), of shape lanes."""
        discrete = {name: value[name].reshape(len(self._shifts)) for name in self._policy.discrete}
        terms = [self._original_struct[name].logp(chosen) for name, chosen in discrete.items()]
        terms += [each.logp(value[name]) for name, each in self._floats(discrete).items()]
        return torch.stack(terms).sum(dim=0)

    def kl(self, other: Any) -> Tensor:
        """Not asked for: PPO clips instead (``use_kl_loss=False``)."""
        raise NotImplementedError

    def to_deterministic(self) -> TorchMultiDistribution:
        """The likeliest discrete actions, and the floats' means given them."""
        discrete = self._policy.likeliest(self._parts)
        chosen = {name: self._original_struct[name] for name in discrete} | self._floats(discrete)
        return TorchMultiDistribution({name: chosen[name].to_deterministic() for name in self._original_struct})

    def _floats(self, discrete: dict[str, Tensor]) -> dict[str, TorchDiagGaussian]:
        """The floats' distributions given discrete actions."""
        means = self._policy.means(self._parts, self._shifts, discrete)
        return {
            name: TorchDiagGaussian.from_logits(torch.cat([mean, self._parts[name][..., 1:]], dim=-1))
            for name, mean in means.items()
        }

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
            self.value = mlp(self.policy.bumps.width(n_features), config.hidden, 1)
        self.action_dist_cls = TuningActions.get_partial_dist_cls(policy=self.policy)

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {Columns.ACTION_DIST_INPUTS: self.policy(batch[Columns.OBS])}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:
        """State values, of shape batch."""
        return self.value(self.policy.bumps(batch[Columns.OBS])).squeeze(-1)  # type: ignore[no-any-return]


class TuningActions(TorchMultiDistribution):  # type: ignore[misc]
    """Independent actions by name.

    Log-probabilities are summed in an order of their own, discrete actions first, and floats' have distributions of
    their own, apart from those of the entropies: numbers and gradients are rounded by it, and a seed's agent is to stay
    the same bit for bit.
    """

    @classmethod
    def from_logits(cls, logits: Tensor, *, policy: PolicyNetwork, **kwargs: Any) -> "TuningActions":
        """Of parameters as :meth:`rl_envs.policy.PolicyNetwork.forward` gives them."""
        parts = policy.parts(logits)
        actions = cls(
            {name: _distribution(is_float=name in policy.floats, parameters=part) for name, part in parts.items()}
        )
        actions._floats, actions._parts = policy.floats, parts
        return actions

    def logp(self, value: dict[str, Tensor]) -> Tensor:
        """Log-probabilities of actions (name -> lanes x 1 or lanes), of shape lanes."""
        discrete = [name for name in self._parts if name not in self._floats]
        terms = [self._original_struct[name].logp(value[name].reshape(-1)) for name in discrete]
        terms += [_distribution(is_float=True, parameters=self._parts[name]).logp(value[name]) for name in self._floats]
        return torch.stack(terms).sum(dim=0)


def _distribution(*, is_float: bool, parameters: Tensor) -> Any:
    return (TorchDiagGaussian if is_float else TorchCategorical).from_logits(parameters)

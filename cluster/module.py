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

from qsynth.search_space import Float
from rl_envs.policy import PolicyConfig, PolicyNetwork, mlp
from rl_envs.spaces import Entry


class TuningModule(TorchRLModule, ValueFunctionAPI):  # type: ignore[misc]
    """:class:`PolicyNetwork` with a value network of its own.

    RLlib's default for a Dict action space shares a trunk with the value function, lets the log standard deviations of
    the floats depend on the state without bounds, and starts anywhere; this one starts at "stay".
    """

    def setup(self) -> None:
        """Build both networks from ``model_config`` (``search_space`` and ``policy`` as plain data)."""
        torch.set_num_threads(1)
        space = TypeAdapter(dict[str, Entry]).validate_python(self.model_config["search_space"])
        config = PolicyConfig.model_validate(self.model_config["policy"])
        n_features = self.observation_space.shape[0]
        self.policy = PolicyNetwork(n_features, space, config)
        if not self.inference_only:
            self.value = mlp(n_features, config.hidden, 1)
        children = {
            name: TorchDiagGaussian if isinstance(dimension, Float) else TorchCategorical
            for name, dimension in self.policy.search_space.items()
        }
        self.action_dist_cls = TorchMultiDistribution.get_partial_dist_cls(
            child_distribution_cls_struct=children, input_lens=self.policy.input_lengths
        )

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {Columns.ACTION_DIST_INPUTS: self.policy(batch[Columns.OBS])}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:
        """State values, of shape batch."""
        return self.value(batch[Columns.OBS]).squeeze(-1)  # type: ignore[no-any-return]

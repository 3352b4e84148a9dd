"""A trained agent's network, and its file: safetensors and JSON, no RLlib needed."""

import math
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from qsynth.config import Config, parse
from qsynth.search_space import Float, Int
from qsynth.tensor_file import TensorFile
from rl_envs.spaces import DOWN, UP, Entries, Entry, action_space, stay_index

FILE = TensorFile("qsynth-agent-1", "a trained agent")
MIN_LOG_STD, MAX_LOG_STD = -3.0, 0.5
Width = Annotated[int, Field(ge=1, le=4096)]


class PolicyConfig(Config):
    """Size and starting point of the network."""

    hidden: tuple[Width, ...] = Field((64, 64), min_length=1, max_length=8)
    log_std: float = Field(-1.0, ge=MIN_LOG_STD, le=MAX_LOG_STD)
    stay_logit: float = Field(1.0, ge=0, le=10)
    head_scale: float = Field(0.01, gt=0, le=1)


def mlp(n_inputs: int, hidden: tuple[int, ...], n_outputs: int) -> nn.Sequential:
    """Tanh layers with a linear head."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_inputs, width), nn.Tanh()]
        n_inputs = width
    return nn.Sequential(*layers, nn.Linear(n_inputs, n_outputs))


class PolicyNetwork(nn.Module):
    """Observations to the parameters of an action distribution.

    Each float has a mean and a free, clamped log standard deviation; each int or choice has logits. An untrained
    network means "stay": its head starts near zero, and the categories that change nothing are favoured.
    """

    def __init__(self, n_features: int, search_space: Entries, config: PolicyConfig) -> None:
        super().__init__()
        self.search_space, self.config = dict(sorted(search_space.items())), config
        spaces = action_space(search_space)
        self.sizes = {
            name: 1 if isinstance(dimension, Float) else int(spaces[name].n)  # type: ignore[attr-defined]
            for name, dimension in self.search_space.items()
        }
        self.network = mlp(n_features, config.hidden, sum(self.sizes.values()))
        n_floats = sum(isinstance(dimension, Float) for dimension in self.search_space.values())
        self.log_std = nn.Parameter(torch.full((n_floats,), config.log_std))
        head = self.network[-1]
        assert isinstance(head, nn.Linear)
        with torch.no_grad():
            head.weight.mul_(config.head_scale)
            head.bias.zero_()
            position = 0
            for name, dimension in self.search_space.items():
                if not isinstance(dimension, Float):
                    head.bias[position + stay_index(dimension)] = config.stay_logit
                position += self.sizes[name]

    @property
    def input_lengths(self) -> dict[str, int]:
        """How many distribution parameters each action has: mean and log std, or logits."""
        return {
            name: 2 if isinstance(dimension, Float) else self.sizes[name]
            for name, dimension in self.search_space.items()
        }

    def forward(self, observation: Tensor) -> Tensor:
        """Distribution parameters, lanes x sum of ``input_lengths``, in sorted order of the names."""
        heads = self.network(observation).split(list(self.sizes.values()), dim=-1)
        log_std = self.log_std.clamp(MIN_LOG_STD, MAX_LOG_STD)
        parts: list[Tensor] = []
        float_index = 0
        for dimension, head in zip(self.search_space.values(), heads, strict=True):
            parts.append(head)
            if isinstance(dimension, Float):
                parts.append(log_std[float_index].expand_as(head))
                float_index += 1
        return torch.cat(parts, dim=-1)

    def greedy(self, observation: Tensor) -> dict[str, Tensor]:
        """Most likely actions: name -> lanes x 1 (float) or lanes (discrete)."""
        parts = self(observation).split(list(self.input_lengths.values()), dim=-1)
        return {
            name: part[..., :1] if isinstance(dimension, Float) else part.argmax(dim=-1)
            for (name, dimension), part in zip(self.search_space.items(), parts, strict=True)
        }

    def entropies(self, parameters: Tensor) -> dict[str, float]:
        """Mean entropy of each action's distribution, in nats: differential for floats, at most log n for categories.

        Args:
            parameters: lanes x sum of ``input_lengths``, as :meth:`forward` gives them.
        """
        found, parts = {}, parameters.detach().split(list(self.input_lengths.values()), dim=-1)
        for (name, entry), part in zip(self.search_space.items(), parts, strict=True):
            if isinstance(entry, Float):
                found[name] = float(part[..., 1].mean()) + 0.5 * math.log(2.0 * math.pi * math.e)
            else:
                logs = part.log_softmax(dim=-1)
                found[name] = float(-(logs.exp() * logs).sum(dim=-1).mean())
        return found

    def drive(self, observation: Tensor) -> dict[str, Tensor]:
        """What an observation wants of each hyperparameter, name -> lanes: a float's mean move; the logit of an int's
        "up" minus that of "down"; the largest logit of a choice minus that of "stay"."""
        parts = self(observation).split(list(self.input_lengths.values()), dim=-1)
        found = {}
        for (name, entry), part in zip(self.search_space.items(), parts, strict=True):
            if isinstance(entry, Float):
                found[name] = part[..., 0]
            elif isinstance(entry, Int):
                found[name] = part[..., UP] - part[..., DOWN]
            else:
                found[name] = part[..., 1:].amax(dim=-1) - part[..., 0]
        return found


class PolicyFile(Config):
    """What is stored beside the weights; ``search_space`` is all that the agent may do, recoveries among it."""

    features: tuple[str, ...]
    search_space: dict[str, Entry]
    policy: PolicyConfig
    max_step: float = Field(gt=0, le=1)
    about: dict[str, Any] = Field(default_factory=dict)


def save_policy(path: Path, network: PolicyNetwork, file: PolicyFile) -> None:
    """Write one safetensors file, atomically.

    Raises:
        QsynthError: it can't be written.
    """
    FILE.write(path, network.state_dict(), file.model_dump(mode="json"))


def load_policy(path: Path) -> tuple[PolicyNetwork, PolicyFile]:
    """Read what :func:`save_policy` wrote.

    Raises:
        QsynthError: no such file, or not an agent's.
    """
    with FILE.reading(path) as (tensors, about):
        file = parse(PolicyFile, about, source=str(path))
        network = PolicyNetwork(len(file.features), file.search_space, file.policy)
        network.load_state_dict(tensors)
    return network.eval(), file

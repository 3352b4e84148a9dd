"""A trained agent's network, and its file: safetensors and JSON, no RLlib needed."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from qsynth.config import Config, parse
from qsynth.errors import QsynthError
from qsynth.files.tensor_file import TensorFile
from qsynth.space.search_space import Float, Int
from rl_envs.retired import without_retired
from rl_envs.spaces import DOWN, UP, ActionEntry, Entries, action_space, stay_index

FILE = TensorFile("qsynth-agent-1", "a trained agent")
MIN_LOG_STD, MAX_LOG_STD = -3.0, 0.5
Width = Annotated[int, Field(ge=1, le=4096)]


class PolicyConfig(Config):
    """Size and starting point of the network.

    Attributes:
        bins: what a network sees of each feature besides its value, see :class:`Bumps`; 0: nothing.
    """

    hidden: tuple[Width, ...] = Field((64, 64), min_length=1, max_length=8)
    log_std: float = Field(-1.0, ge=MIN_LOG_STD, le=MAX_LOG_STD)
    stay_logit: float = Field(1.0, ge=0, le=10)
    head_scale: float = Field(0.01, gt=0, le=1)
    bins: int = Field(0, ge=0, le=256)

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, values: Any) -> Any:
        return without_retired(
            values, "conditional", off=False, what="policies that choose floats given discrete actions"
        )


def mlp(n_inputs: int, hidden: tuple[int, ...], n_outputs: int) -> nn.Sequential:
    """Tanh layers with a linear head."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_inputs, width), nn.Tanh()]
        n_inputs = width
    return nn.Sequential(*layers, nn.Linear(n_inputs, n_outputs))


class Bumps(nn.Module):
    """Every feature, and where it lies among the ends of ``bins`` equal intervals of [-1, 1].

    Each end has a bump, 1 there and falling linearly to 0 at its neighbours; outside, features count as -1 or 1. A tanh
    network follows a feature smoothly, and learns late what changes from one small step of it to the next; of bumps it
    is a linear function.
    """

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bins = bins
        self.ends: Tensor
        self.register_buffer("ends", torch.linspace(-1, 1, bins + 1) if bins else torch.zeros(0), persistent=False)

    def width(self, n_features: int) -> int:
        """How many numbers stand for ``n_features``."""
        return n_features * (1 + len(self.ends))

    def forward(self, observation: Tensor) -> Tensor:
        """Lanes x features to lanes x ``width``, the features themselves first."""
        if not self.bins:
            return observation
        distance = (observation.clamp(-1, 1).unsqueeze(-1) - self.ends).abs() * (self.bins / 2)
        return torch.cat([observation, (1 - distance).clamp(min=0).flatten(-2)], dim=-1)


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
        self.floats = [name for name, dimension in self.search_space.items() if isinstance(dimension, Float)]
        self.n_features, self.bumps = n_features, Bumps(config.bins)
        self.network = mlp(self.bumps.width(n_features), config.hidden, sum(self.sizes.values()))
        self.log_std = nn.Parameter(torch.full((len(self.floats),), config.log_std))
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
        heads = self.network(self.bumps(observation)).split(list(self.sizes.values()), dim=-1)
        log_std = self.log_std.clamp(MIN_LOG_STD, MAX_LOG_STD)
        parts: list[Tensor] = []
        float_index = 0
        for dimension, head in zip(self.search_space.values(), heads, strict=True):
            parts.append(head)
            if isinstance(dimension, Float):
                parts.append(log_std[float_index].expand_as(head))
                float_index += 1
        return torch.cat(parts, dim=-1)

    def parts(self, parameters: Tensor) -> dict[str, Tensor]:
        """Distribution parameters by action, name -> lanes x its ``input_lengths``."""
        return dict(zip(self.search_space, parameters.split(list(self.input_lengths.values()), dim=-1), strict=True))

    def greedy(self, observation: Tensor) -> dict[str, Tensor]:
        """Most likely actions: name -> lanes x 1 (float) or lanes (discrete)."""
        return {
            name: part[..., :1] if name in self.floats else part.argmax(dim=-1)
            for name, part in self.parts(self(observation)).items()
        }

    def entropies(self, parameters: Tensor) -> dict[str, float]:
        """Mean entropy of each action's distribution, in nats: differential for floats, at most log n for categories.

        Args:
            parameters: lanes x parameters, as :meth:`forward` gives them.
        """
        entropies = {}
        for name, part in self.parts(parameters.detach()).items():
            if name in self.floats:
                entropies[name] = float(part[..., 1].mean()) + 0.5 * math.log(2.0 * math.pi * math.e)
            else:
                logs = part.log_softmax(dim=-1)
                entropies[name] = float(-(logs.exp() * logs).sum(dim=-1).mean())
        return entropies

    def drive(self, observation: Tensor) -> dict[str, Tensor]:
        """What an observation wants of each hyperparameter, name -> lanes: a float's mean move; the logit of an int's
        "up" minus that of "down"; the largest logit of a choice minus that of "stay"."""
        drives = {}
        for name, part in self.parts(self(observation)).items():
            entry = self.search_space[name]
            if isinstance(entry, Float):
                drives[name] = part[..., 0]
            elif isinstance(entry, Int):
                drives[name] = part[..., UP] - part[..., DOWN]
            else:
                drives[name] = part[..., 1:].amax(dim=-1) - part[..., 0]
        return drives


class PolicyFile(Config):
    """What is stored beside the weights; ``search_space`` is all that the agent may do, recoveries among it."""

    features: tuple[str, ...]
    search_space: dict[str, ActionEntry]
    policy: PolicyConfig
    max_step: float = Field(gt=0, le=1)
    about: dict[str, Any] = Field(default_factory=dict)

    def trained(self, what: Literal["trials", "iterations", "core_hours"]) -> float:
        """What its training took, as the file says; 0 if it does not."""
        value = self.about.get(what)
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def save_policy(path: Path, network: PolicyNetwork, file: PolicyFile) -> None:
    """Write one safetensors file, atomically.

    Raises:
        QsynthError: it can't be written.
    """
    FILE.write(path, network.state_dict(), file.model_dump(mode="json"))


def load_policy(path: Path) -> tuple[PolicyNetwork, PolicyFile]:
    """Read what :func:`save_policy` wrote.

    Raises:
        QsynthError: no such file, not an agent's, or one of an agent whose weights are not finite.
    """
    with FILE.reading(path) as (tensors, about):
        file = parse(PolicyFile, about, source=str(path))
        network = PolicyNetwork(len(file.features), file.search_space, file.policy)
        network.load_state_dict(tensors)
        if not all(tensor.isfinite().all() for tensor in network.state_dict().values()):
            raise QsynthError(f"{path} must hold finite weights; this agent's training diverged")
    return network.eval(), file

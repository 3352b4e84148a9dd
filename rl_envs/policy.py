"""A trained agent's network, and its file: safetensors and JSON, no RLlib needed."""

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import one_hot

from qsynth.config import Config, parse
from qsynth.errors import QsynthError
from qsynth.files.tensor_file import TensorFile
from qsynth.space.search_space import Float, Int
from rl_envs.spaces import DOWN, UP, ActionEntry, Entries, action_space, stay_index

FILE = TensorFile("qsynth-agent-1", "a trained agent")
MIN_LOG_STD, MAX_LOG_STD = -3.0, 0.5
Width = Annotated[int, Field(ge=1, le=4096)]


class PolicyConfig(Config):
    """Size and starting point of the network.

    Attributes:
        conditional: whether floats are chosen given what ints, choices and recoveries were chosen before; else all
            independently.
    """

    hidden: tuple[Width, ...] = Field((64, 64), min_length=1, max_length=8)
    log_std: float = Field(-1.0, ge=MIN_LOG_STD, le=MAX_LOG_STD)
    stay_logit: float = Field(1.0, ge=0, le=10)
    head_scale: float = Field(0.01, gt=0, le=1)
    conditional: bool = False


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
    network means "stay": its head starts near zero, and the categories that change nothing are favoured. Where the
    policy is conditional, every category also has a shift of every float's mean, and the chosen ones' are added to it.
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
        self.discrete = [name for name in self.search_space if name not in self.floats]
        n_floats = len(self.floats)
        self.n_shifts = n_floats * sum(self.sizes[name] for name in self.discrete) if config.conditional else 0
        self.network = mlp(n_features, config.hidden, sum(self.sizes.values()) + self.n_shifts)
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
        """Distribution parameters, lanes x (sum of ``input_lengths`` + ``n_shifts``), in sorted order of the names."""
        *heads, shifts = self.network(observation).split([*self.sizes.values(), self.n_shifts], dim=-1)
        log_std = self.log_std.clamp(MIN_LOG_STD, MAX_LOG_STD)
        parts: list[Tensor] = []
        float_index = 0
        for dimension, head in zip(self.search_space.values(), heads, strict=True):
            parts.append(head)
            if isinstance(dimension, Float):
                parts.append(log_std[float_index].expand_as(head))
                float_index += 1
        return torch.cat([*parts, shifts], dim=-1)

    def parts(self, parameters: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Distribution parameters by action (name -> lanes x its ``input_lengths``), and shifts (lanes x n_shifts)."""
        *parts, shifts = parameters.split([*self.input_lengths.values(), self.n_shifts], dim=-1)
        return dict(zip(self.search_space, parts, strict=True)), shifts

    def greedy(self, observation: Tensor) -> dict[str, Tensor]:
        """Most likely actions: name -> lanes x 1 (float) or lanes (discrete); floats given the discrete ones."""
        parts, shifts = self.parts(self(observation))
        discrete = self.likeliest(parts)
        means = self.means(parts, shifts, discrete)
        return {name: discrete[name] if name in discrete else means[name] for name in self.search_space}

    def likeliest(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Most likely discrete actions, name -> ..., of distribution parameters as :meth:`parts` gives them."""
        return {name: parts[name].argmax(dim=-1) for name in self.discrete}

    def means(self, parts: dict[str, Tensor], shifts: Tensor, discrete: dict[str, Tensor]) -> dict[str, Tensor]:
        """Means of the floats' moves (name -> ... x 1) given discrete actions (name -> ...).

        Args:
            parts, shifts: as :meth:`parts` gives them, ... x parameters.
        """
        means = {name: parts[name][..., :1] for name in self.floats}
        if not self.n_shifts:
            return means
        table = shifts.unflatten(-1, (len(self.floats), -1))
        chosen = torch.cat([one_hot(discrete[name].long(), self.sizes[name]) for name in self.discrete], dim=-1)
        added = (table * chosen[..., None, :]).sum(dim=-1)
        return {name: mean + added[..., index, None] for index, (name, mean) in enumerate(means.items())}

    def entropies(self, parameters: Tensor) -> dict[str, float]:
        """Mean entropy of each action's distribution, in nats: differential for floats, at most log n for categories.

        Args:
            parameters: lanes x parameters, as :meth:`forward` gives them.
        """
        found, (parts, _) = {}, self.parts(parameters.detach())
        for name, part in parts.items():
            if name in self.floats:
                found[name] = float(part[..., 1].mean()) + 0.5 * math.log(2.0 * math.pi * math.e)
            else:
                logs = part.log_softmax(dim=-1)
                found[name] = float(-(logs.exp() * logs).sum(dim=-1).mean())
        return found

    def drive(self, observation: Tensor) -> dict[str, Tensor]:
        """What an observation wants of each hyperparameter, name -> lanes: a float's mean move (given the likeliest
        discrete actions); the logit of an int's "up" minus that of "down"; the largest logit of a choice minus that of
        "stay"."""
        parts, shifts = self.parts(self(observation))
        means = self.means(parts, shifts, self.likeliest(parts))
        found = {}
        for name, part in parts.items():
            entry = self.search_space[name]
            if isinstance(entry, Float):
                found[name] = means[name][..., 0]
            elif isinstance(entry, Int):
                found[name] = part[..., UP] - part[..., DOWN]
            else:
                found[name] = part[..., 1:].amax(dim=-1) - part[..., 0]
        return found


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

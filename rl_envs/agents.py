"""Agents: anything that maps what is seen to hyperparameter values."""

from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch

from qsynth.errors import QsynthError
from rl_envs.encoding import Encoding
from rl_envs.policy import PolicyFile, PolicyNetwork, load_policy
from rl_envs.spaces import Entries

LaneValues = dict[str, np.ndarray]
PATH_STEPS = 32
MIN_DECAY = 0.01  # of schedules that are searched


class Agent(Protocol):
    """Chooses hyperparameters, name -> lanes, for all lanes at once."""

    name: str

    def begin(self, n_lanes: int) -> LaneValues:
        """Values to start with; what is left out starts at the study's defaults."""
        ...

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """New values at a decision; what is left out stays.

        Args:
            observation: lanes x features.
            values: the present ones.
            progress: share of the budget used, in [0, 1).
        """
        ...


class Hold:
    """The defaults, throughout."""

    name = "defaults"

    def begin(self, n_lanes: int) -> LaneValues:
        """Nothing: the defaults."""
        return {}

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """Nothing."""
        return {}


Shape = Literal["exponential", "cosine"]


class Schedule:
    """Constants, or learning rates that decay from them.

    With t the share of the budget used, for both learning rates ``lr(t) = lr(0) * decay^t``, or
    ``lr(t) = lr(0) * (decay + (1 - decay) (1 + cos(pi t)) / 2)`` in the shape of a cosine (Loshchilov & Hutter 2017).

    Args:
        start: name -> value for all lanes, or -> one value a lane (repeated when there are fewer than lanes).
        decay: the learning rates' final share, a number or one a lane; 1 keeps constants.
    """

    LEARNING_RATES = ("lr_generator", "lr_critic")

    def __init__(
        self,
        start: dict[str, float | np.ndarray],
        decay: float | np.ndarray = 1.0,
        name: str = "constants",
        shape: Shape = "exponential",
    ) -> None:
        self.name, self._start, self._decay, self._shape = name, start, np.asarray(decay, dtype=float), shape

    def begin(self, n_lanes: int) -> LaneValues:
        """The constants."""
        return {name: np.resize(np.asarray(value, dtype=float), n_lanes) for name, value in self._start.items()}

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """The learning rates at this moment."""
        if np.all(self._decay == 1.0):
            return {}
        factor = self._decay**progress
        if self._shape == "cosine":
            factor = self._decay + (1 - self._decay) * (1 + np.cos(np.pi * progress)) / 2
        start, factor = self.begin(len(observation)), np.resize(factor, len(observation))
        return {name: start[name] * factor for name in self.LEARNING_RATES if name in start}


class TrainedAgent:
    """A policy network, acting greedily.

    Attributes:
        remarks: how the study differs from what it was trained on, a line each.
    """

    name = "agent"

    def __init__(self, network: PolicyNetwork, encoding: Encoding) -> None:
        self._network, self._encoding = network, encoding
        self.remarks = encoding.remarks()

    @classmethod
    def load(cls, path: Path, features: list[str], actions: Entries) -> "TrainedAgent":
        """Read an agent's file, for a study with these features and actions, be they its own or others.

        Raises:
            QsynthError: unreadable, or it has nothing to do in this study.
        """
        return cls.of(path, *load_policy(path), features, actions)

    @classmethod
    def of(
        cls, path: Path, network: PolicyNetwork, file: PolicyFile, features: list[str], actions: Entries
    ) -> "TrainedAgent":
        """The same of a file that is read already.

        Raises:
            QsynthError: it has nothing to do in this study.
        """
        try:
            return cls(network, Encoding(file.features, file.search_space, features, actions, file.max_step))
        except QsynthError as error:
            raise QsynthError(f"{path}: {error}") from None

    def begin(self, n_lanes: int) -> LaneValues:
        """Nothing: the defaults."""
        return {}

    @torch.no_grad()
    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """The most likely moves."""
        actions = self._network.greedy(torch.from_numpy(self._encoding.observe(observation, values)))
        return self._encoding.moves(values, {name: action.numpy() for name, action in actions.items()})

    def contributions(self, observation: np.ndarray, values: LaneValues) -> dict[str, dict[str, np.ndarray]]:
        """How much each observation pushes each hyperparameter: name -> feature -> lanes.

        Integrated gradients [Sundararajan, Taly & Yan 2017] from an observation of zeros: a hyperparameter's shares sum
        to what all of them together change. Floats: of the move; ints: of "up" minus "down"; choices: of the likeliest
        value minus "stay" (logits).
        """
        seen = torch.from_numpy(self._encoding.observe(observation, values))
        pushes = {}
        for name in self._encoding.shared:
            total = torch.zeros_like(seen)
            for step in range(PATH_STEPS):
                point = (seen * ((step + 0.5) / PATH_STEPS)).requires_grad_()
                [gradient] = torch.autograd.grad(self._network.drive(point)[name].sum(), point)
                total += gradient
            shares = (total * seen / PATH_STEPS).numpy()
            pushes[name] = {feature: shares[:, column] for column, feature in enumerate(self._encoding.features)}
        return pushes

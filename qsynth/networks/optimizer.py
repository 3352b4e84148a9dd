"""How parameters follow their gradients: the optimisers by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from qsynth.networks.adam import AdamState, adam
from qsynth.networks.prodigy import ProdigyState, prodigy
from qsynth.registry import Registry
from qsynth.space.controls import is_on


class OptimizerState(Protocol):
    """A named tuple of tensors, one trial's or with a leading lane axis."""

    @property
    def first(self) -> Tensor:
        """Mean of gradients."""

    @property
    def second(self) -> Tensor:
        """Mean of their squares."""

    @property
    def steps(self) -> Tensor:
        """Steps taken."""

    def forget(self, lanes: Tensor) -> None:
        """Put some lanes, in place, back to the state before the first step."""

    def _asdict(self) -> Mapping[str, Tensor]:
        """Its parts by name."""


@dataclass(frozen=True)
class Optimizer:
    """A way to take steps.

    Attributes:
        zeros: of a shape: the state before the first step.
        update: parameters, gradient, state, learning rate, beta1 and whether to do anything at all -> parameters and
            state.
        finds_rate: whether it needs no learning rate; ``update`` is given 1 then.
    """

    zeros: Callable[..., Any]
    update: Callable[..., tuple[Tensor, Any]]
    finds_rate: bool

    def step(
        self, parameters: Tensor, gradient: Tensor, state: OptimizerState, rate: Tensor, beta1: Tensor, active: Tensor
    ) -> tuple[Tensor, OptimizerState]:
        """One step; ``rate`` may be OFF where it finds its own."""
        given = rate if is_on(rate) else torch.ones((), dtype=parameters.dtype)
        return self.update(parameters, gradient, state, given, beta1, active)


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")
ADAM = OPTIMIZERS.register("adam")(Optimizer(AdamState.zeros, adam, finds_rate=False))
OPTIMIZERS.register("prodigy")(Optimizer(ProdigyState.zeros, prodigy, finds_rate=True))

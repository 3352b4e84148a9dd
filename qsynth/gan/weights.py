"""What trials have learned."""

from typing import NamedTuple

import torch
from torch import Tensor

from qsynth.networks.adam import AdamState
from qsynth.networks.optimizer import Optimizer, OptimizerState
from qsynth.space.controls import OFF, is_on


class Weights(NamedTuple):
    """What a trial has learned so far; ``average`` is of the generator's parameters, OFF where none is kept, as is what
    belongs to a critic. ``generator_adam`` and ``critic_adam`` are the optimiser's state, whichever it is."""

    generator: Tensor
    critic: Tensor
    generator_adam: OptimizerState
    critic_adam: OptimizerState
    average: Tensor = OFF

    @classmethod
    def zeros(cls, n_lanes: int, n_generator: int, n_critic: int, optimizer: Optimizer, *, averages: bool) -> "Weights":
        """Those of a population before its trials begin, for so many parameters; a critic of none is OFF."""
        critic, state = torch.zeros(n_lanes, n_critic), optimizer.zeros(n_lanes, n_critic)
        generator = torch.zeros(n_lanes, n_generator)
        return cls(
            generator,
            critic if n_critic else OFF,
            optimizer.zeros(n_lanes, n_generator),
            state if n_critic else AdamState(OFF, OFF, OFF),
            generator.clone() if averages else OFF,
        )

    @property
    def sampled(self) -> Tensor:
        """The generator's parameters that rows are to be made with: their average where one is kept."""
        return self.average if is_on(self.average) else self.generator

    def set_generator(self, lanes: Tensor, generator: Tensor) -> None:
        """Replace, in place, a population's generators in some lanes; average and optimiser forget what was."""
        self.generator[lanes] = generator
        if is_on(self.average):
            self.average[lanes] = generator
        self.generator_adam.forget(lanes)

    def set_critic(self, lanes: Tensor, critic: Tensor) -> None:
        """Replace, in place, a population's critics, if there are any, in some lanes; their optimiser forgets what
        was."""
        if not is_on(self.critic):
            return
        self.critic[lanes] = critic
        self.critic_adam.forget(lanes)

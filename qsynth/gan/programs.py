"""One trial's updates made into programs over all lanes, compiled or eager."""

from typing import Any

import torch
from torch.func import vmap

from qsynth.gan.update import GanUpdate


class Programs:
    """The methods of :class:`GanUpdate`, each with a leading lane axis on every argument but the update's index."""

    def __init__(self, update: GanUpdate, compiled: bool) -> None:
        # Each function is a code object of its own: compiled vmaps that share functorch's wrapper hit the recompile
        # limit together and silently fall back to eager execution.
        def critic_batches(*arguments: Any) -> Any:
            return vmap(update.critic_batches)(*arguments)

        def critic_step(*arguments: Any) -> Any:
            return vmap(update.critic_step, in_dims=(0, 0, 0, 0, None))(*arguments)

        def generator_step(*arguments: Any) -> Any:
            return vmap(update.generator_step)(*arguments)

        self.critic_batches, self.critic_step, self.generator_step = critic_batches, critic_step, generator_step
        if compiled:
            self.critic_batches = torch.compile(critic_batches, dynamic=False)
            self.critic_step = torch.compile(critic_step, dynamic=False)
            self.generator_step = torch.compile(generator_step, dynamic=False)

"""One trial's updates made into programs over all lanes."""

from torch.func import vmap

from qsynth.compilation import Build
from qsynth.gan.update import GanUpdate


class Programs:
    """The methods of :class:`GanUpdate`, each with a leading lane axis on every argument but the update's index."""

    def __init__(self, update: GanUpdate, build: Build) -> None:
        self.critic_batches = build("critic_batches", vmap(update.critic_batches))
        self.critic_step = build("critic_step", vmap(update.critic_step, in_dims=(0, 0, 0, 0, None)))
        self.generator_step = build("generator_step", vmap(update.generator_step))

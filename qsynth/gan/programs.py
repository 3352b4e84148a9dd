"""One trial's updates made into programs over all lanes."""

import torch
from torch import Tensor
from torch.func import vmap

from qsynth.execution.compilation import Build
from qsynth.gan.update import CriticBatch, GanUpdate, Weights
from qsynth.networks.adam import AdamState
from qsynth.space.controls import Controls


class Programs:
    """The methods of :class:`GanUpdate`, each with a leading lane axis on every argument but the update's index.

    The steps add their statistics to totals (lanes x 4) instead of returning them: critic updates their share in the
    iteration's mean.
    """

    def __init__(self, update: GanUpdate, build: Build) -> None:
        def critic_step(
            critic: Tensor, state: AdamState, batch: CriticBatch, controls: Controls, index: Tensor, totals: Tensor
        ) -> tuple[Tensor, AdamState, Tensor]:
            critic, state, statistics = update.critic_step(critic, state, batch, controls, index)
            share = (index < controls.n_critic) / controls.n_critic
            return critic, state, totals + share * torch.stack(tuple(statistics))

        def generator_step(
            weights: Weights,
            controls: Controls,
            rows: Tensor,
            n_rows: Tensor,
            seed: Tensor,
            iteration: Tensor,
            totals: Tensor,
        ) -> tuple[Tensor, AdamState, Tensor, Tensor, Tensor]:
            generator, state, statistics = update.generator_step(weights, controls, rows, n_rows, seed, iteration)
            average = update.averaged(weights.average, generator, controls, iteration)
            return generator, state, average, iteration + 1, totals + torch.stack(tuple(statistics))

        self.critic_batches = build("critic_batches", vmap(update.critic_batches))
        self.critic_step = build("critic_step", vmap(critic_step, in_dims=(0, 0, 0, 0, None, 0)))
        self.generator_step = build("generator_step", vmap(generator_step))

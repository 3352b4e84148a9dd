"""One trial's updates made into programs over all lanes."""

import torch
from torch import Tensor
from torch.func import vmap

from qsynth.execution.compilation import Build
from qsynth.gan.strata import Pool, Strata
from qsynth.gan.update import CriticBatch, DistanceUpdate, GanUpdate
from qsynth.gan.weights import Weights
from qsynth.networks.optimizer import OptimizerState
from qsynth.space.controls import Controls


class Programs:
    """The methods of an update, each with a leading lane axis on every argument but the critic update's index; those of
    a critic only where there is one.

    The steps add their statistics to totals (lanes x 4) instead of returning them: critic updates their share in the
    iteration's mean.
    """

    def __init__(self, update: DistanceUpdate, build: Build) -> None:
        def generator_step(
            weights: Weights,
            controls: Controls,
            learned: Strata | Pool,
            seed: Tensor,
            iteration: Tensor,
            totals: Tensor,
        ) -> tuple[Tensor, OptimizerState, Tensor, Tensor, Tensor]:
            generator, state, statistics = update.generator_step(weights, controls, learned, seed, iteration)
            average = update.averaged(weights.average, generator, controls, learned, iteration)
            return generator, state, average, iteration + 1, totals + torch.stack(tuple(statistics))

        self._learned = update.learned
        self.generator_step = build("generator_step", vmap(generator_step))
        if not isinstance(update, GanUpdate):
            return

        def critic_step(
            critic: Tensor, state: OptimizerState, batch: CriticBatch, controls: Controls, index: Tensor, totals: Tensor
        ) -> tuple[Tensor, OptimizerState, Tensor]:
            critic, state, statistics = update.critic_step(critic, state, batch, controls, index)
            share = (index < controls.n_critic) / controls.n_critic
            return critic, state, totals + share * torch.stack(tuple(statistics))

        self.critic_batches = build("critic_batches", vmap(update.critic_batches))
        self.critic_step = build("critic_step", vmap(critic_step, in_dims=(0, 0, 0, 0, None, 0)))

    def iterate(
        self,
        n_iterations: int,
        n_updates: int,
        w: Weights,
        controls: Controls,
        rows: Tensor,
        n_rows: Tensor,
        seeds: Tensor,
        steps: Tensor,
    ) -> tuple[Weights, Tensor, Tensor, Tensor]:
        """GAN iterations of ``n_updates`` critic updates each: weights, iterations done, and totals of the critic's and
        the generator's statistics (lanes x 4)."""
        of_critic, of_generator = torch.zeros(2, len(seeds), 4)
        indices = [torch.tensor(float(index)) for index in range(n_updates)]
        learned = self._learned(Pool(rows, n_rows), controls)
        for _ in range(n_iterations):
            batches = self.critic_batches(w.generator, controls, rows, n_rows, seeds, steps) if indices else ()
            critic, state = w.critic, w.critic_adam
            for index, batch in zip(indices, batches, strict=False):
                critic, state, of_critic = self.critic_step(critic, state, batch, controls, index, of_critic)
            w = w._replace(critic=critic, critic_adam=state)
            generator, generator_state, average, steps, of_generator = self.generator_step(
                w, controls, learned, seeds, steps, of_generator
            )
            w = w._replace(generator=generator, generator_adam=generator_state, average=average)
        return w, steps, of_critic, of_generator

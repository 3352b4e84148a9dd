"""One GAN iteration as pure functions of one trial: draw, n_critic critic updates, one generator update."""

from typing import NamedTuple

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.critics import MLPCritic
from qsynth.gan.losses import Penalty, critic_loss, generator_loss, gradient_penalty, norm
from qsynth.gan.optim import AdamState, adam
from qsynth.gan.quantum import QuantumGenerator

# Streams of random numbers; each is used for one thing.
STREAM_GENERATOR, STREAM_CRITIC, STREAM_CRITIC_STEP, STREAM_GENERATOR_STEP, STREAM_EVALUATION = range(5)


class Controls(NamedTuple):
    """A trial's hyperparameters in the form that the update uses: numbers, and masks over the capacity."""

    lr_generator: Tensor
    lr_critic: Tensor
    gp_weight: Tensor
    beta1: Tensor
    n_critic: Tensor
    sample_weights: Tensor  # batch capacity: 1 / batch_size for samples in use, else 0
    latent_mask: Tensor  # latent_dim capacity
    layer_mask: Tensor  # circuit layers
    unit_mask: Tensor  # critic width


class Weights(NamedTuple):
    """What a trial has learned so far."""

    generator: Tensor
    critic: Tensor
    generator_adam: AdamState
    critic_adam: AdamState


class CriticBatch(NamedTuple):
    """Inputs of one critic update: batch x d, batch x classes, batch x d, batch."""

    real: Tensor
    onehot: Tensor
    fake: Tensor
    mix: Tensor


class CriticStatistics(NamedTuple):
    """Scalars of one critic update."""

    loss: Tensor
    gap: Tensor
    penalty: Tensor
    gradient: Tensor


class GeneratorStatistics(NamedTuple):
    """Scalars of one generator update; spread and saturation are of the fake rows, averaged over features."""

    loss: Tensor
    gradient: Tensor
    spread: Tensor
    saturation: Tensor


class GanUpdate:
    """The updates of one trial for fixed shapes. Every method is pure, to be vmapped over lanes."""

    def __init__(
        self, generator: QuantumGenerator, critic: MLPCritic, batch_size: int, n_critic: int, penalty: Penalty
    ) -> None:
        self.generator, self.critic = generator, critic
        self.batch_size, self.n_critic, self.penalty = batch_size, n_critic, penalty

    def initial(self, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Starting parameters of generator and critic."""
        return self.generator.initial(seed, STREAM_GENERATOR), self.critic.initial(seed, STREAM_CRITIC)

    def critic_batches(
        self, generator: Tensor, controls: Controls, rows: Tensor, n_rows: Tensor, seed: Tensor, iteration: Tensor
    ) -> tuple[CriticBatch, ...]:
        """Batches of all critic updates of one iteration; their fake rows are drawn in one go.

        Args:
            rows: real rows (x, onehot(y)), capacity x (n_features + n_classes), of which the first ``n_rows`` count.
            iteration: int64 scalar, the iteration's number in the trial.
        """
        size = self.n_critic * self.batch_size
        chosen, z, mix = self._draw(rows, n_rows, seed, STREAM_CRITIC_STEP, iteration, size)
        real, onehot = chosen[:, : self.generator.n_features], chosen[:, self.generator.n_features :]
        fake = self.generator.sample(generator, z, onehot, controls.latent_mask, controls.layer_mask)
        parts = (part.split(self.batch_size) for part in (real, onehot, fake, mix))
        return tuple(CriticBatch(*batch) for batch in zip(*parts, strict=True))

    def critic_step(
        self, critic: Tensor, state: AdamState, batch: CriticBatch, controls: Controls, index: Tensor
    ) -> tuple[Tensor, AdamState, CriticStatistics]:
        """Critic update number ``index`` of an iteration; beyond ``n_critic`` it changes nothing."""

        weights = controls.sample_weights
        signed = torch.cat([weights, -weights])

        def loss(flat: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
            parameters = self.critic.layout.split(flat)
            both, twice = torch.cat([batch.real, batch.fake]), torch.cat([batch.onehot, batch.onehot])
            gap = (self.critic.score(parameters, both, twice, controls.unit_mask) * signed).sum()
            between = batch.mix[:, None] * batch.real + (1 - batch.mix[:, None]) * batch.fake
            slope = self.critic.slope(parameters, between, batch.onehot, controls.unit_mask)
            penalty = (gradient_penalty(norm(slope), self.penalty) * weights).sum()
            return critic_loss(gap, penalty, controls.gp_weight), (gap, penalty)

        gradient, (value, (gap, penalty)) = torch.func.grad_and_value(loss, has_aux=True)(critic)
        active = (index < controls.n_critic).to(critic.dtype)
        critic, state = adam(critic, gradient, state, controls.lr_critic, controls.beta1, active)
        return critic, state, CriticStatistics(value, gap, penalty, torch.linalg.vector_norm(gradient))

    def generator_step(
        self, weights: Weights, controls: Controls, rows: Tensor, n_rows: Tensor, seed: Tensor, iteration: Tensor
    ) -> tuple[Tensor, AdamState, GeneratorStatistics]:
        """One generator update."""
        chosen, z, _ = self._draw(rows, n_rows, seed, STREAM_GENERATOR_STEP, iteration, self.batch_size)
        onehot = chosen[:, self.generator.n_features :]
        critic = self.critic.layout.split(weights.critic)

        def loss(flat: Tensor) -> tuple[Tensor, Tensor]:
            fake = self.generator.sample(flat, z, onehot, controls.latent_mask, controls.layer_mask)
            scores = self.critic.score(critic, fake, onehot, controls.unit_mask)
            return generator_loss((scores * controls.sample_weights).sum()), fake

        gradient, (value, fake) = torch.func.grad_and_value(loss, has_aux=True)(weights.generator)
        one = torch.ones((), dtype=gradient.dtype)
        generator, state = adam(
            weights.generator, gradient, weights.generator_adam, controls.lr_generator, controls.beta1, one
        )
        statistics = GeneratorStatistics(
            value, torch.linalg.vector_norm(gradient), fake.std(dim=0).mean(), (fake.abs() > 0.98).float().mean()
        )
        return generator, state, statistics

    def _draw(
        self, rows: Tensor, n_rows: Tensor, seed: Tensor, stream: int, iteration: Tensor, size: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Real rows (size x columns), noise (size x latent_dim) and mixing shares (size), all from one block of random
        numbers, which compiles to one kernel."""
        n_normal = size * self.generator.latent_dim
        u = rng.uniform(seed, stream, iteration, 2 * size + n_normal + n_normal % 2)
        chosen = rows[(u[:size] * n_rows).to(torch.int64)]
        return chosen, rng.to_normal(u[2 * size :])[:n_normal].reshape(size, -1), u[size : 2 * size]

"""One GAN iteration as pure functions of one trial: draw, n_critic critic updates, one generator update.

Without a critic, the generator's update is all.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from qsynth import rng
from qsynth.gan.critic import Critic, Parameters
from qsynth.gan.distances import DISTANCES, class_distance
from qsynth.gan.generator import EnumeratedRows, GeneratedRows, Generator, Rows
from qsynth.gan.losses import LOSSES, Penalty, gradient_penalty, norm
from qsynth.gan.score_terms import with_score_terms
from qsynth.gan.strata import Pool, Strata
from qsynth.gan.weights import Weights
from qsynth.networks.optimizer import ADAM, Optimizer, OptimizerState
from qsynth.space.controls import OFF, Controls, is_on

# Streams of random numbers; each is used for one thing.
STREAM_GENERATOR, STREAM_CRITIC, STREAM_CRITIC_STEP, STREAM_GENERATOR_STEP, STREAM_EVALUATION = range(5)
STREAM_NOISE_REAL, STREAM_NOISE_FAKE, STREAM_NOISE_LISTED, STREAM_NOISE_GENERATOR, STREAM_NOISE_BESIDE = range(5, 10)


# Of rows made and real rows (x, labels, weights), a seed and an iteration: what the former are worth to a learner.
Lesson = Callable[[tuple[Tensor, ...], tuple[Tensor, ...], Tensor, Tensor], Tensor]


class CriticBatch(NamedTuple):
    """Inputs of one critic update: batch x d, batch x classes, batch x d, batch; and the fake rows' distribution in
    full, where it can be listed."""

    real: Tensor
    onehot: Tensor
    fake: Tensor
    mix: Tensor
    listed: EnumeratedRows | tuple[()] = ()


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


class DistanceUpdate:
    """The update of one trial without a critic, for fixed shapes. Every method is pure, to be vmapped over lanes.

    Args:
        lesson: what rows are worth to whoever learns them, where ``utility_weight`` may act.
    """

    def __init__(
        self,
        generator: Generator,
        batch_size: int,
        distance: str,
        lesson: Lesson | None = None,
        optimizer: Optimizer = ADAM,
    ) -> None:
        self.generator, self.batch_size, self._lesson = generator, batch_size, lesson
        self.optimizer = optimizer
        self._dissimilarity = DISTANCES[distance]
        self.critic_size = 0

    def initial(self, seed: Tensor) -> tuple[Tensor, Tensor]:
        """Starting parameters of generator and critic; OFF without one."""
        return self.generator.initial(seed, STREAM_GENERATOR), OFF

    def learned(self, pool: Pool, controls: Controls) -> Strata | Pool:
        """The training rows as the generator learns from them, of all lanes."""
        return Strata.of(*pool, self.generator.n_features) if self._stratifies(controls) else pool

    def generator_step(
        self, weights: Weights, controls: Controls, learned: Strata | Pool, seed: Tensor, iteration: Tensor
    ) -> tuple[Tensor, OptimizerState, GeneratorStatistics]:
        """One generator update.

        Args:
            learned: real rows, as :meth:`learned` gives them.
            iteration: int64 scalar, the iteration's number in the trial.
        """
        u, mix, noise = self._numbers(seed, STREAM_GENERATOR_STEP, iteration, self.batch_size)
        if isinstance(learned, Strata):
            real = learned.batch(u, mix[0], controls.sample_weights)
        else:
            real = learned.batch(self.generator.n_features, u, controls.sample_weights)

        def loss(flat: Tensor) -> tuple[Tensor, Tensor]:
            made = self.generator.make(flat, noise, real.onehot, controls)
            rows_made = made.rows(real.onehot, real.weights)

            def distance() -> Tensor:
                assert isinstance(learned, Strata)
                return class_distance(self._dissimilarity, rows_made, not made.listed, learned)

            value = self._judged(weights, rows_made, real, controls, distance, (seed, iteration))

            def taught() -> Tensor:
                assert self._lesson is not None  # as whoever uses its weight has one
                return self._lesson(tuple(rows_made), tuple(real), seed, iteration)

            value = with_score_terms(value, rows_made, real, controls, distance, taught)
            return self.generator.regularised(value, flat, noise, real, controls), made.drawn

        gradient, (value, fake) = torch.func.grad_and_value(loss, has_aux=True)(weights.generator)
        one = torch.ones((), dtype=gradient.dtype)
        generator, state = self.optimizer.step(
            weights.generator, gradient, weights.generator_adam, controls.lr_generator, controls.beta1, one
        )
        generator = self._refreshed(generator, learned, controls)
        statistics = GeneratorStatistics(
            value, torch.linalg.vector_norm(gradient), fake.std(dim=0).mean(), (fake.abs() > 0.98).float().mean()
        )
        return generator, state, statistics

    def averaged(
        self,
        average: Tensor,
        generator: Tensor,
        controls: Controls,
        learned: Strata | Pool,
        iteration: Tensor,
    ) -> Tensor:
        """The average of the generator's parameters after an update; OFF where none is kept.

        It decays by ``weight_average`` an update [Yazici et al. 2019, Eq. 5], in the first ones by less, as the start
        is worth nothing: by (1 + t) / (10 + t) at most after t updates, the rule of TensorFlow's
        ExponentialMovingAverage. At a decay of 0 it is the generator. What follows from the training rows follows from
        the averages, and is none itself.
        """
        if not is_on(average):
            return OFF
        decay = torch.minimum(controls.weight_average, (1.0 + iteration) / (10.0 + iteration))
        return self._refreshed(torch.lerp(generator, average, decay), learned, controls)

    def _refreshed(self, flat: Tensor, learned: Strata | Pool, controls: Controls) -> Tensor:
        """The generator's parameters with what follows from the training rows; most kinds have nothing of it."""
        if not self.generator.refresh_size:
            return flat
        return self.generator.refreshed(flat, *learned.known(self.generator.n_features), controls)

    def _stratifies(self, _controls: Controls) -> bool:
        """Whether the generator's batches hold every class, as distances within classes need."""
        return True

    def _judged(
        self,
        _weights: Weights,
        _made: Rows,
        _real: Rows,
        _controls: Controls,
        distance: Callable[[], Tensor],
        _when: tuple[Tensor, Tensor],
    ) -> Tensor:
        """What the generator minimises first of all, of rows made and real ones; ``when``: seed and iteration."""
        return distance()

    def _numbers(self, seed: Tensor, stream: int, iteration: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Two uniform numbers for each of ``size`` rows, and their noise (size x n_noise), all from one block of random
        numbers, which compiles to one kernel."""
        n_normal = size * self.generator.n_noise
        u = rng.uniform(seed, stream, iteration, 2 * size + n_normal + n_normal % 2)
        return u[:size], u[size : 2 * size], rng.to_normal(u[2 * size :])[:n_normal].reshape(size, -1)


class GanUpdate(DistanceUpdate):
    """The updates of one trial with a critic, for fixed shapes."""

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        batch_size: int,
        n_critic: int,
        penalty: Penalty = "one_sided",
        loss: str = "wasserstein",
        lesson: Lesson | None = None,
        optimizer: Optimizer = ADAM,
    ) -> None:
        super().__init__(generator, batch_size, "energy", lesson, optimizer)
        self.critic, self.critic_size, self.n_critic = critic, critic.layout.size, n_critic
        self.penalty, self.loss = penalty, LOSSES[loss]

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
        u, mix, noise = self._numbers(seed, STREAM_CRITIC_STEP, iteration, size)
        real, onehot, _ = Pool(rows, n_rows).batch(self.generator.n_features, u, controls.sample_weights)
        fake, listed = self.generator.make(generator, noise, onehot, controls)
        if is_on(controls.instance_noise):
            real = _blurred(real, controls, seed, STREAM_NOISE_REAL, iteration)
            fake = _blurred(fake, controls, seed, STREAM_NOISE_FAKE, iteration)
            if listed:
                x, labels, probability = listed
                listed = EnumeratedRows(
                    _blurred(x, controls, seed, STREAM_NOISE_LISTED, iteration), labels, probability
                )
        parts = (part.split(self.batch_size) for part in (real, onehot, fake, mix))
        return tuple(CriticBatch(*batch)._replace(listed=listed) for batch in zip(*parts, strict=True))

    def critic_step(
        self, critic: Tensor, state: OptimizerState, batch: CriticBatch, controls: Controls, index: Tensor
    ) -> tuple[Tensor, OptimizerState, CriticStatistics]:
        """Critic update number ``index`` of an iteration; beyond ``n_critic`` it changes nothing."""

        weights = controls.sample_weights
        fake = GeneratedRows(batch.fake, batch.listed).rows(batch.onehot, weights)
        both, labels = torch.cat([batch.real, fake.x]), torch.cat([batch.onehot, fake.onehot])
        signed = torch.cat([weights, -fake.weights])

        def loss(flat: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
            parameters = self.critic.parameters(flat, controls)
            scores = self.critic.score(parameters, both, labels, controls)
            value = self.loss.critic(scores, signed, controls)
            value = self.critic.labelled(value, parameters, both, labels, signed.abs(), controls)
            value, penalty = self._penalised(value, parameters, batch, controls)
            return value, ((scores * signed).sum(), penalty)

        gradient, (value, (gap, penalty)) = torch.func.grad_and_value(loss, has_aux=True)(critic)
        active = (index < controls.n_critic).to(critic.dtype)
        critic, state = self.optimizer.step(critic, gradient, state, controls.lr_critic, controls.beta1, active)
        return critic, state, CriticStatistics(value, gap, penalty, torch.linalg.vector_norm(gradient))

    def _stratifies(self, controls: Controls) -> bool:
        return is_on(controls.fidelity_weight)

    def _judged(
        self,
        weights: Weights,
        made: Rows,
        real: Rows,
        controls: Controls,
        _distance: Callable[[], Tensor],
        when: tuple[Tensor, Tensor],
    ) -> Tensor:
        """The adversarial loss, weighted; before ``critic_start`` it is 0, and the critic trains all the same."""
        critic, (fake, labels, shares) = self.critic.parameters(weights.critic, controls), made
        true, (seed, iteration) = real.x, when
        if is_on(controls.instance_noise):
            fake = _blurred(fake, controls, seed, STREAM_NOISE_GENERATOR, iteration)
            true = _blurred(true, controls, seed, STREAM_NOISE_BESIDE, iteration) if self.loss.needs_real else true
        beside = self.critic.score(critic, true, real.onehot, controls) if self.loss.needs_real else OFF
        value = self.loss.generator(self.critic.score(critic, fake, labels, controls), shares, beside)
        value = self.critic.labelled(value, critic, fake, labels, shares, controls)
        if is_on(controls.adversarial_weight):
            value = value * controls.adversarial_weight
        if is_on(controls.critic_start):
            value = torch.where(iteration >= controls.critic_start, value, torch.zeros_like(value))
        return value

    def _penalised(
        self, loss: Tensor, parameters: Parameters, batch: CriticBatch, controls: Controls
    ) -> tuple[Tensor, Tensor]:
        """The critic's loss with its gradient penalty, between real and fake rows of a class, or zero-centered at both;
        and the penalty."""
        if self.penalty == "none":
            return loss, torch.zeros_like(loss)
        if self.penalty == "zero_centered":
            both, labels = torch.cat([batch.real, batch.fake]), batch.onehot.repeat(2, 1)
            slope = self.critic.slope(parameters, both, labels, controls)
            penalty = (gradient_penalty(norm(slope), self.penalty) * controls.sample_weights.repeat(2)).sum()
            return loss + controls.gp_weight * penalty, penalty
        between = batch.mix[:, None] * batch.real + (1 - batch.mix[:, None]) * batch.fake
        slope = self.critic.slope(parameters, between, batch.onehot, controls)
        penalty = (gradient_penalty(norm(slope), self.penalty) * controls.sample_weights).sum()
        return loss + controls.gp_weight * penalty, penalty


def _blurred(x: Tensor, controls: Controls, seed: Tensor, stream: int, iteration: Tensor) -> Tensor:
    """Rows (m x d) with normal noise of sd ``instance_noise`` [Sonderby et al. 2017; Arjovsky & Bottou 2017]."""
    noise = rng.normal(seed, stream, iteration, x.shape[0] * x.shape[1]).reshape(x.shape)
    return x + controls.instance_noise * noise

"""One GAN iteration: its gradients against an independent computation, and masks that are proven inert."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.gan.losses import Penalty
from qsynth.gan.mlp_critic import MLPCritic
from qsynth.gan.quantum import QuantumGenerator
from qsynth.gan.strata import Pool
from qsynth.gan.update import CriticBatch, GanUpdate
from qsynth.gan.weights import Weights
from qsynth.networks.adam import AdamState
from qsynth.space.controls import Controls
from tests.qsynth.gan.reference import critic_gradient, mlp

LATENT, LAYERS, WIDTH, BATCH, N_CRITIC, FEATURES, CLASSES, ROWS = 3, 3, 8, 6, 3, 2, 2, 20


def gan(penalty: Penalty = "one_sided", dtype: torch.dtype = torch.float32) -> GanUpdate:
    engine = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 2, LAYERS, dtype)
    generator = QuantumGenerator(engine, FEATURES, LATENT, CLASSES)
    return GanUpdate(generator, MLPCritic(FEATURES, CLASSES, WIDTH), BATCH, N_CRITIC, penalty)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def settings(dtype: torch.dtype = torch.float32, **changes: Any) -> Controls:
    """Everything in use except a latent coordinate, a layer, two hidden units and two samples."""

    def on(size: int, n_on: int) -> Tensor:
        return (torch.arange(size) < n_on).to(dtype)

    controls = Controls(
        lr_generator=torch.tensor(0.01, dtype=dtype),
        lr_critic=torch.tensor(0.01, dtype=dtype),
        gp_weight=torch.tensor(2.0, dtype=dtype),
        beta1=torch.tensor(0.0, dtype=dtype),
        n_critic=torch.tensor(2.0, dtype=dtype),
        sample_weights=on(BATCH, 4) / 4,
        latent_mask=on(LATENT, 2),
        layer_mask=on(LAYERS, 2),
        unit_mask=on(WIDTH, 6),
    )
    return controls._replace(**changes)


def weights(update: GanUpdate, dtype: torch.dtype = torch.float32) -> Weights:
    sizes = update.generator.layout.size, update.critic.layout.size
    states = [AdamState(*(part.to(dtype) for part in AdamState.zeros(size))) for size in sizes]
    generator, critic = (random(size, seed=seed, dtype=dtype) for seed, size in enumerate(sizes))
    return Weights(generator, critic, *states)


def rows(dtype: torch.dtype = torch.float32) -> Tensor:
    """Real rows with their label in a fixed relation: the first column is positive in class 1."""
    labels = torch.arange(ROWS) % 2
    x = random(ROWS, FEATURES, seed=9, dtype=dtype).abs().clamp(0.01, 1)
    x[:, 0] *= 2 * labels - 1
    return torch.cat([x, torch.eye(CLASSES, dtype=dtype)[labels]], dim=1)


def where(iteration: int = 0, seed: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Row count, seed and iteration as the update takes them."""
    return torch.tensor(ROWS), torch.tensor(seed), torch.tensor(iteration)


def learned(
    update: GanUpdate, controls: Controls, iteration: int = 0, dtype: torch.dtype = torch.float32
) -> tuple[Any, Tensor, Tensor]:
    """The rows as the generator learns from them, seed and iteration."""
    n_rows, *when = where(iteration)
    return update.learned(Pool(rows(dtype), n_rows), controls), *when


def batches(update: GanUpdate, generator: Tensor, controls: Controls, iteration: int = 0) -> tuple[CriticBatch, ...]:
    return update.critic_batches(generator, controls, rows(generator.dtype), *where(iteration))


def part(update: GanUpdate, network: str, flat: Tensor, name: str) -> Tensor:
    """A named view: writing to it changes ``flat``."""
    return getattr(update, network).layout.split(flat)[name]  # type: ignore[no-any-return]


def same(one: Any, other: Any) -> bool:
    """Bit for bit, through nested tuples."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    assert isinstance(one, Iterable)
    return all(same(a, b) for a, b in zip(one, other, strict=True))


# Gradients and signs


@pytest.mark.parametrize("penalty", ["one_sided", "two_sided"])
@pytest.mark.parametrize("scale", [0.3, 3.0])  # slopes below and above 1
def test_critic_gradient_is_that_of_a_double_backward(penalty: Penalty, scale: float) -> None:
    update = gan(penalty, torch.float64)
    start, controls = weights(update, torch.float64), settings(torch.float64)
    critic = scale * start.critic
    batch = batches(update, start.generator, controls)[0]
    _, state, statistics = update.critic_step(critic, start.critic_adam, batch, controls, torch.tensor(0.0))
    loss, gradient = critic_gradient(update.critic, critic, batch, controls, penalty == "one_sided")
    torch.testing.assert_close(state.first, gradient, rtol=1e-6, atol=1e-9)  # beta1 = 0
    torch.testing.assert_close(statistics.loss, loss, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(statistics.gradient, gradient.norm(), rtol=1e-6, atol=1e-9)
    assert statistics.loss.item() == pytest.approx((2.0 * statistics.penalty - statistics.gap).item())


def test_generator_gradient_is_that_of_finite_differences() -> None:
    update = gan(dtype=torch.float64)
    start, controls = weights(update, torch.float64), settings(torch.float64)

    def step(flat: Tensor) -> tuple[Tensor, AdamState, Any]:
        here = start._replace(generator=flat)
        return update.generator_step(here, controls, *learned(update, controls, dtype=torch.float64))

    _, state, statistics = step(start.generator)
    h = 1e-6
    shifts = h * torch.eye(len(start.generator), dtype=torch.float64)
    differences = [
        (step(start.generator + shift)[2].loss - step(start.generator - shift)[2].loss) / (2 * h) for shift in shifts
    ]
    torch.testing.assert_close(state.first, torch.stack(differences), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(statistics.gradient, state.first.norm())


def test_training_the_critic_raises_the_gap_and_training_the_generator_raises_its_score() -> None:
    update = gan()
    here, controls = weights(update), settings(gp_weight=torch.tensor(0.1))
    batch = batches(update, here.generator, controls)[0]
    gaps = []
    critic, state = here.critic, here.critic_adam
    for _ in range(60):
        critic, state, statistics = update.critic_step(critic, state, batch, controls, torch.tensor(0.0))
        gaps.append(statistics.gap.item())
    n = 4
    difference = mlp(update.critic, critic, batch.real[:n], batch.onehot[:n], 6) - mlp(
        update.critic, critic, batch.fake[:n], batch.onehot[:n], 6
    )
    assert gaps[-1] > gaps[0] + 0.5
    assert difference.mean() > gaps[0] + 0.5

    here = here._replace(critic=critic)
    z, onehot = random(200, LATENT, seed=3), torch.eye(CLASSES)[torch.arange(200) % 2]

    def mean_score(flat: Tensor) -> float:
        fake = update.generator.sample(flat, z, onehot, controls)
        return mlp(update.critic, critic, fake, onehot, 6).mean().item()

    before, losses = mean_score(here.generator), []
    for iteration in range(60):
        generator, adam_state, statistics = update.generator_step(here, controls, *learned(update, controls, iteration))
        here = here._replace(generator=generator, generator_adam=adam_state)
        losses.append(statistics.loss.item())
    assert mean_score(here.generator) > before + 0.1
    assert losses[-1] < losses[0]


def test_losses_are_means_over_the_samples_in_use() -> None:
    """A critic that answers 7 everywhere has a gap of 0, and the generator's loss is -7 at any batch size."""
    update = gan()
    start = weights(update)
    critic = torch.zeros_like(start.critic)
    part(update, "critic", critic, "b2")[0] = 1.0
    part(update, "critic", critic, "w3")[0] = 7.0
    for n in (1, 4, BATCH):
        controls = settings(sample_weights=(torch.arange(BATCH) < n).float() / n)
        _, _, made = update.generator_step(start._replace(critic=critic), controls, *learned(update, controls))
        assert made.loss.item() == pytest.approx(-7)
        batch = batches(update, start.generator, controls)[0]
        _, _, judged = update.critic_step(critic, start.critic_adam, batch, controls, torch.tensor(0.0))
        assert judged.gap.item() == pytest.approx(0, abs=1e-6)


def test_each_sample_counts_by_its_weight_in_the_generator_step() -> None:
    update = gan(dtype=torch.float64)
    start = weights(update, torch.float64)

    def loss(share: Tensor) -> Tensor:
        controls = settings(torch.float64, sample_weights=share)
        return update.generator_step(start, controls, *learned(update, controls, dtype=torch.float64))[2].loss

    alone = torch.stack([loss(row) for row in torch.eye(BATCH, dtype=torch.float64)])
    assert len(alone.unique()) == BATCH
    share = torch.tensor([0.5, 0.3, 0.2, 0, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(loss(share), alone @ share)


def test_statistics_of_the_fake_rows() -> None:
    """Saturated where <Z> = +-1; the spread of rows that are all alike is 0."""
    update = gan()
    flat = torch.zeros(update.generator.layout.size)  # all angles 0: <Z> = 1 whatever the noise
    _, _, flat_out = update.generator_step(
        weights(update)._replace(generator=flat), settings(), *learned(update, settings())
    )
    assert (flat_out.spread.item(), flat_out.saturation.item()) == (0, 1)
    part(update, "generator", flat, "bias")[:] = torch.pi / 2
    part(update, "generator", flat, "linear")[:, :2] = 0.3
    _, _, moving = update.generator_step(
        weights(update)._replace(generator=flat), settings(), *learned(update, settings())
    )
    assert 0.05 < moving.spread < 0.9
    assert moving.saturation < 0.5


# What a batch is made of


def test_batches_hold_real_rows_with_their_labels_and_fakes_of_the_same_labels() -> None:
    update = gan()
    flat = weights(update).generator
    part(update, "generator", flat, "linear")[:, :LATENT] = 0  # the fake rows depend on the label alone
    data = rows()
    data[12:] = torch.nan  # beyond n_rows
    controls = settings()
    made = update.critic_batches(flat, controls, data, torch.tensor(12), torch.tensor(1), torch.tensor(0))
    assert len(made) == N_CRITIC
    known = {tuple(row) for row in data[:12].tolist()}
    for batch in made:
        assert all(tuple(row) in known for row in torch.cat([batch.real, batch.onehot], dim=1).tolist())
        z = torch.zeros(BATCH, LATENT)
        fake = update.generator.sample(flat, z, batch.onehot, controls)
        torch.testing.assert_close(batch.fake, fake)
        assert ((batch.mix > 0) & (batch.mix < 1)).all()
        assert len(batch.mix.unique()) == BATCH


def test_every_row_is_drawn_equally_often_and_nothing_is_drawn_twice() -> None:
    update = gan()
    flat, controls, data = weights(update).generator, settings(), rows()
    real, mixes, fakes = [], [], []
    for iteration in range(150):
        for batch in update.critic_batches(flat, controls, data, *where(iteration)):
            real.append(batch.real)
            mixes.append(batch.mix)
            fakes.append(batch.fake)
    drawn = torch.cat(real)
    counts = torch.stack([(drawn == row).all(dim=1).sum() for row in data[:, :FEATURES]])
    expected = len(drawn) / ROWS
    assert counts.sum() == len(drawn)
    assert (((counts - expected) ** 2 / expected).sum()) < 60  # chi-square with 19 degrees of freedom
    assert len(torch.cat(mixes).unique()) > 0.99 * len(drawn)
    assert len(torch.cat(fakes).unique(dim=0)) > 0.99 * len(drawn)
    elsewhere = update.critic_batches(flat, controls, data, *where(0, seed=6))
    assert not torch.equal(elsewhere[0].mix, mixes[0])


def test_networks_start_differently_for_each_seed() -> None:
    update = gan()
    one, two = (update.initial(torch.tensor(seed)) for seed in (1, 2))
    assert not torch.equal(one[0], two[0])
    assert not torch.equal(one[1], two[1])
    assert same(one, update.initial(torch.tensor(1)))
    for flat, layout in zip(one, (update.generator.layout, update.critic.layout), strict=True):
        assert flat.shape == (layout.size,)
    bias = part(update, "generator", one[0], "bias")
    assert ((bias - torch.pi / 2).abs() < 1 / (LATENT + CLASSES) ** 0.5).all()


# Masks


def scrambled(values: Tensor) -> None:
    values[...] = 3 * random(*values.shape, seed=77) + 1


def hidden_latent(update: GanUpdate, w: Weights) -> None:
    scrambled(part(update, "generator", w.generator, "linear")[:, 2:LATENT])


def hidden_layer(update: GanUpdate, w: Weights) -> None:
    scrambled(part(update, "generator", w.generator, "weights")[2:])


def hidden_units(update: GanUpdate, w: Weights) -> None:
    for name in ("w1", "b1", "w2", "b2", "w3"):
        scrambled(part(update, "critic", w.critic, name)[6:])
    scrambled(part(update, "critic", w.critic, "w2")[:, 6:])


def outcome(update: GanUpdate, w: Weights, controls: Controls) -> tuple[Any, ...]:
    """All that an iteration gives, without the parameters behind masks."""
    made = batches(update, w.generator, controls)
    critic, state, statistics = update.critic_step(w.critic, w.critic_adam, made[0], controls, torch.tensor(0.0))
    generator, generator_state, more = update.generator_step(w, controls, *learned(update, controls))
    visible = []
    for flat in (critic, state.first, state.second):
        p = update.critic.layout.split(flat)
        visible += [p["w1"][:6], p["b1"][:6], p["w2"][:6, :6], p["b2"][:6], p["w3"][:6]]
    for flat in (generator, generator_state.first, generator_state.second):
        p = update.generator.layout.split(flat)
        visible += [p["linear"][:, :2], p["linear"][:, LATENT:], p["bias"], p["weights"][:2]]
    return made, statistics, more, visible


HIDDEN = {"latent_mask": hidden_latent, "layer_mask": hidden_layer, "unit_mask": hidden_units}


@pytest.mark.parametrize("mask", HIDDEN)
def test_parameters_behind_a_mask_are_inert_and_active_ones_matter(mask: str) -> None:
    update, controls = gan(), settings()
    plain, changed = weights(update), weights(update)
    HIDDEN[mask](update, changed)
    assert not same((plain.generator, plain.critic), (changed.generator, changed.critic))
    assert same(outcome(update, plain, controls), outcome(update, changed, controls))
    everything = controls._replace(**{mask: torch.ones_like(getattr(controls, mask))})
    assert not same(outcome(update, plain, everything), outcome(update, changed, everything))


@pytest.mark.parametrize("mask", HIDDEN)
def test_parameters_behind_a_mask_do_not_move(mask: str) -> None:
    update, controls = gan(), settings()
    start = weights(update)
    made = batches(update, start.generator, controls)
    critic, _, _ = update.critic_step(start.critic, start.critic_adam, made[0], controls, torch.tensor(0.0))
    generator, _, _ = update.generator_step(start, controls, *learned(update, controls))
    moved = {
        "latent_mask": (generator - start.generator, "generator", "linear", (slice(None), slice(2, LATENT))),
        "layer_mask": (generator - start.generator, "generator", "weights", (slice(2, None),)),
        "unit_mask": (critic - start.critic, "critic", "w1", (slice(6, None),)),
    }
    difference, network, name, behind = moved[mask]
    found = part(update, network, difference, name)
    assert (found[behind] == 0).all()
    assert (found != 0).any()


def test_noise_behind_the_latent_mask_is_inert() -> None:
    update, controls = gan(), settings()
    z, onehot = random(5, LATENT), torch.eye(CLASSES)[torch.arange(5) % 2]
    other = z.clone()
    other[:, 2:] = 9.0
    arguments = onehot, controls
    flat = weights(update).generator
    assert torch.equal(update.generator.sample(flat, z, *arguments), update.generator.sample(flat, other, *arguments))
    other[:, 0] += 1
    assert not torch.equal(
        update.generator.sample(flat, z, *arguments), update.generator.sample(flat, other, *arguments)
    )


@pytest.mark.parametrize("name", ["real", "onehot", "fake", "mix"])
def test_samples_beyond_the_batch_size_are_inert(name: str) -> None:
    update, controls = gan("two_sided"), settings()
    start = weights(update)
    batch = batches(update, start.generator, controls)[0]

    def step(first_changed: int) -> Any:
        values = getattr(batch, name).clone()
        values[first_changed:] = values[first_changed:] * 0.3 + 0.2
        changed = batch._replace(**{name: values})
        return update.critic_step(start.critic, start.critic_adam, changed, controls, torch.tensor(0.0))

    plain = update.critic_step(start.critic, start.critic_adam, batch, controls, torch.tensor(0.0))
    assert same(step(4), plain)
    # The critic is piecewise linear: one row that moves within a piece leaves the penalty as it is.
    assert not same(step(0 if name == "mix" else 3), plain)


def test_critic_updates_beyond_n_critic_are_inert() -> None:
    update, controls = gan(), settings()  # n_critic = 2
    start = weights(update)
    made = batches(update, start.generator, controls)
    before = start.critic, start.critic_adam
    for index, changes in ((0, True), (1, True), (2, False)):
        critic, state, _ = update.critic_step(*before, made[index], controls, torch.tensor(float(index)))
        assert same((critic, state), before) != changes

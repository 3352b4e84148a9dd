"""What every generator, critic and loss must do together: train in a population, with exact gradients, inert masks,
lanes that do not feel each other, and snapshots that go on bit for bit."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.dataset import Instance
from qsynth.data.tabular import TableData
from qsynth.gan.distances import DISTANCES
from qsynth.gan.generator import Generator
from qsynth.gan.losses import LOSSES
from qsynth.gan.strata import Pool
from qsynth.gan.update import CriticBatch, DistanceUpdate, GanUpdate
from qsynth.gan.weights import Weights
from qsynth.networks.adam import AdamState
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import OFF, Controls, is_on
from qsynth.space.hyperparameters import SPARED
from qsynth.space.hyperparameters import controls as controls_of

GENERATORS: dict[str, dict[str, Any]] = {
    "quantum": {"generator": {"kind": "quantum"}},
    "patches": {"n_qubits": 2, "generator": {"kind": "quantum", "patches": 2, "output_scale": True}},
    "affine": {"ansatz": "data_reuploading", "generator": {"kind": "quantum", "inputs": "affine"}},
    "classical": {"generator": {"kind": "classical"}},
    "vae": {"generator": {"kind": "vae", "rows": "posterior"}},
    "affine_vae": {"generator": {"kind": "vae", "decoder": "quantum", "inputs": "affine", "rows": "posterior"}},
    "quantum_vae": {"generator": {"kind": "vae", "decoder": "quantum"}},
    "born": {"generator": {"kind": "born"}},
}
CRITICS: dict[str, dict[str, Any]] = {
    f"{kind}-{conditioning}{'-spectral' if spectral else ''}": {
        "critic": {"kind": kind, "conditioning": conditioning, "spectral_norm": spectral}
    }
    for kind in ("mlp", "conv")
    for conditioning in ("concat", "projection", "auxiliary")
    for spectral in (False, True)
}
CRITICS["image"] = {"critic": {"kind": "conv", "image_shape": [2, 2]}}
CAPACITY = {
    "latent_dim": 3,
    "n_layers": 3,
    "critic_width": 4,
    "critic_layers": 3,
    "filter_size": 3,
    "vae_layers": 3,
    "vae_width": 4,
    "batch_size": 4,
    "n_critic": 2,
}
# One of each size is out of use, everything optional is on but a QNN's lesson, which is single precision.
PART = {
    "latent_dim": 2,
    "n_layers": 2,
    "critic_width": 3,
    "critic_layers": 2,
    "filter_size": 2,
    "vae_layers": 2,
    "vae_width": 3,
    "batch_size": 3,
    "n_critic": 2,
    "kl_weight": 0.5,
    "weight_average": 0.9,
    "label_smoothing": 0.1,
    "instance_noise": 0.05,
    "fidelity_weight": 0.7,
    "diversity_weight": 0.3,
    "balance_weight": 0.4,
    "adversarial_weight": 0.8,
}
FEATURES, CLASSES, ROWS = 4, 3, 12
SOURCE = TableData(name="iris", n_train=40)
SETTINGS = {
    "n_qubits": 4,
    "capacity": CAPACITY,
    "defaults": PART,
    "score": {"balance": 0, "utility": 0, "n_rows": 32},
}
COMBINATIONS = [
    (generator, critic, loss)
    for generator, critic, loss in itertools.product(GENERATORS, CRITICS, LOSSES)
    if not (generator == "born" and LOSSES[loss].needs_real)
]
CRITIC_FREE = list(itertools.product(GENERATORS, DISTANCES))
# Every generator with every critic, and every critic with every loss; in double precision each takes a second or so.
PAIRS = [(generator, critic, "non_saturating") for generator, critic in itertools.product(GENERATORS, CRITICS)]
PAIRS += [("classical", critic, loss) for critic, loss in itertools.product(CRITICS, LOSSES)]


def config(
    generator: str = "quantum", critic: str = "mlp-concat", loss: str = "wasserstein", **more: Any
) -> TrialConfig:
    return TrialConfig.model_validate({**SETTINGS, **GENERATORS[generator], **CRITICS[critic], "loss": loss, **more})


def instances(n: int) -> list[Instance]:
    return [SOURCE.instance(seed, held_out=False) for seed in range(n)]


def population(made: TrialConfig, n_lanes: int = 2, compiled: bool = False) -> Population:
    pop = Population(made, FEATURES, CLASSES, n_lanes, compiled)
    pop.reset(range(n_lanes), instances(n_lanes), range(10, 10 + n_lanes))
    return pop


def learned(pop: Population, lane: int) -> dict[str, Tensor]:
    return pop.snapshot(lane).tensors


# Training


@pytest.mark.parametrize(("generator", "critic", "loss"), COMBINATIONS)
def test_two_steps_change_both_players_and_stay_finite(generator: str, critic: str, loss: str) -> None:
    pop = population(config(generator, critic, loss))
    before = learned(pop, 1)
    found = pop.advance(2)
    after = learned(pop, 1)
    assert not pop.diverged.any()
    for name in ("generator", "critic"):
        assert (before[name] != after[name]).any()
    for values in vars(found).values():
        assert np.isfinite(values).all()
    assert (found.gradient_generator > 0).all()
    assert (found.gradient_critic > 0).all()


@pytest.mark.parametrize(("generator", "loss"), CRITIC_FREE)
def test_two_steps_without_a_critic_change_the_generator_and_stay_finite(generator: str, loss: str) -> None:
    pop = population(config(generator, loss=loss))
    before = learned(pop, 1)
    assert not [name for name in before if "critic" in name]
    found = pop.advance(2)
    assert not pop.diverged.any()
    assert (before["generator"] != learned(pop, 1)["generator"]).any()
    for values in vars(found).values():
        assert np.isfinite(values).all()
    assert (found.gradient_generator > 0).all()
    for values in (found.loss_critic, found.critic_gap, found.penalty, found.gradient_critic):
        assert (values == 0).all()


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generator_makes_rows_of_the_class_that_is_asked_for(generator: str) -> None:
    pop = population(config(generator))
    rows = pop.sample(0, torch.eye(CLASSES)[torch.arange(60) % CLASSES], seed=1)
    assert rows.shape == (60, FEATURES)
    assert torch.isfinite(rows).all()
    assert len(rows.unique(dim=0)) > 3
    assert not torch.equal(rows[::3], rows[1::3])
    assert torch.isfinite(pop.evaluate().score).all()


@pytest.mark.parametrize("engine", ["default.qubit", "lightning.qubit"])
@pytest.mark.parametrize("loss", DISTANCES)
def test_training_on_a_device_without_a_critic_is_that_on_the_statevector_engine(engine: str, loss: str) -> None:
    runs = []
    for name in ("statevector", engine):
        pop = population(config(loss=loss, engine={"name": name}))
        runs.append((pop.advance(1), learned(pop, 0)["generator_adam.first"]))
    (one, state), (other, state_there) = runs
    for name, values in vars(one).items():
        np.testing.assert_allclose(values, getattr(other, name), rtol=1e-3, atol=1e-4, err_msg=name)
    torch.testing.assert_close(state, state_there, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("generator", ["quantum", "patches", "affine", "quantum_vae", "affine_vae", "born"])
@pytest.mark.parametrize("penalty", ["one_sided", "none"])
def test_training_on_a_device_is_that_on_the_statevector_engine(generator: str, penalty: str) -> None:
    runs = []
    for name in ("statevector", "default.qubit"):
        pop = population(config(generator, penalty=penalty, engine={"name": name}))
        pop.apply({"lr_critic": np.zeros(2)})  # Adam would make whole steps of rounding errors
        found = pop.advance(1)
        runs.append((found, learned(pop, 0), pop.sample(0, torch.eye(CLASSES), seed=1)))
    (one, state, _), (other, state_there, _) = runs
    for name, values in vars(one).items():
        np.testing.assert_allclose(values, getattr(other, name), rtol=1e-3, atol=1e-4, err_msg=name)
    first = "generator_adam.first"
    torch.testing.assert_close(state[first], state_there[first], rtol=1e-3, atol=1e-5)


def test_parameter_shift_trains_as_exact_gradients_do() -> None:
    """Gunduz 2025 differentiates by the parameter-shift rule; for these gates it is no approximation."""
    small = {
        "capacity": {**CAPACITY, "batch_size": 2, "n_critic": 1},
        "defaults": {**PART, "batch_size": 2, "n_critic": 1},
    }
    runs = []
    for engine in ({"name": "default.qubit", "differentiation": "parameter-shift"}, {"name": "statevector"}):
        pop = population(config("patches", engine=engine, **small), n_lanes=1)
        runs.append((pop.advance(3), learned(pop, 0)))
    (one, state), (other, exact) = runs
    np.testing.assert_allclose(one.gradient_generator, other.gradient_generator, rtol=1e-3)
    for name in ("generator", "critic"):
        torch.testing.assert_close(state[name], exact[name], rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generator", "critic", "loss"),
    [
        ("quantum", "mlp-projection-spectral", "hinge"),
        ("patches", "conv-auxiliary", "standard"),
        ("vae", "image", "non_saturating"),
        ("born", "conv-projection-spectral", "hinge"),
    ],
)
def test_compiled_trials_are_the_eager_ones(generator: str, critic: str, loss: str) -> None:
    made = config(generator, critic, loss)
    runs = []
    for compiled in (False, True):
        pop = population(made, compiled=compiled)
        assert pop.compiled == compiled
        pop.apply({"lr_critic": np.zeros(2)})  # as above
        runs.append((pop.advance(1), learned(pop, 0)))
    (one, state), (other, compiled_state) = runs
    for name, values in vars(one).items():
        np.testing.assert_allclose(values, getattr(other, name), rtol=1e-3, atol=1e-4, err_msg=name)
    for name in ("generator_adam.first", "critic_adam.first"):
        torch.testing.assert_close(state[name], compiled_state[name], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("generator", "loss"), [("quantum", "energy"), ("born", "mmd"), ("vae", "mmd")])
def test_compiled_trials_without_a_critic_are_the_eager_ones(generator: str, loss: str) -> None:
    runs = []
    for compiled in (False, True):
        pop = population(config(generator, loss=loss), compiled=compiled)
        assert pop.compiled == compiled
        runs.append((pop.advance(2), learned(pop, 0)))
    (one, state), (other, compiled_state) = runs
    for name, values in vars(one).items():
        np.testing.assert_allclose(values, getattr(other, name), rtol=1e-3, atol=1e-4, err_msg=name)
    torch.testing.assert_close(
        state["generator_adam.first"], compiled_state["generator_adam.first"], rtol=1e-3, atol=1e-5
    )


# Lanes and snapshots


ALL = [*PAIRS, *((generator, "mlp-concat", loss) for generator, loss in CRITIC_FREE)]


@pytest.mark.parametrize(("generator", "critic", "loss"), ALL)
def test_a_lane_alone_does_what_it_does_among_others(generator: str, critic: str, loss: str) -> None:
    made = config(generator, critic, loss)
    among, alone = population(made, 3), Population(made, FEATURES, CLASSES, 1)
    changes = {name: np.array([1.0, 2.0, 3.0]) for name in ("latent_dim", "n_layers", "vae_layers", "critic_layers")}
    changes |= {"batch_size": np.array([2.0, 3.0, 4.0]), "critic_width": np.array([4.0, 2.0, 3.0])}
    among.apply({name: values for name, values in changes.items() if name in among.values})
    alone.reset([0], [instances(2)[1]], [11])
    alone.apply({name: values[[1]] for name, values in among.values.items()})
    for pop in (among, alone):
        pop.advance(1)
    one, other = learned(alone, 0), learned(among, 1)
    for name in {"generator_adam.first", "critic_adam.first"} & set(one):
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("generator", "critic", "loss"), ALL)
def test_a_snapshot_goes_on_bit_for_bit(generator: str, critic: str, loss: str) -> None:
    made = config(generator, critic, loss)
    one, other = population(made), population(made)
    one.advance(1)
    snapshot = one.snapshot(1)
    one.advance(1)
    other.restore(1, snapshot, instances(2)[1])
    other.advance(1)
    for name, value in learned(one, 1).items():
        assert torch.equal(value, learned(other, 1)[name]), name
    assert torch.equal(one.evaluate().score[1], other.evaluate().score[1])


# Gradients, in double precision


def update(made: TrialConfig) -> DistanceUpdate:
    readout = made.generator.readout(made.readout)
    engine = StatevectorEngine(ANSAETZE[made.ansatz], made.n_qubits, made.capacity.n_layers, torch.float64, readout)
    return made.build_update(made.build_generator(engine, FEATURES, CLASSES), FEATURES, CLASSES)


def critic_update(made: TrialConfig) -> GanUpdate:
    found = update(made)
    assert isinstance(found, GanUpdate)
    return found


def settings(made: TrialConfig, **changes: float) -> Controls:
    """The defaults, with beta1 = 0 so that Adam's first moment is the gradient."""
    values = {name: np.array([float(getattr(made.defaults, name))]) for name in made.used}
    values |= {"beta1": np.zeros(1)} | {name: np.array([value]) for name, value in changes.items()}
    one = controls_of(values, made.capacity).of_lane(0)
    return Controls(*(value.double() if is_on(value) else OFF for value in one))


def weights(made: DistanceUpdate) -> Weights:
    random = torch.Generator().manual_seed(3)
    start = [part.double() for part in made.initial(torch.tensor(1)) if is_on(part)]
    moved = [part + 0.3 * torch.randn(len(part), generator=random, dtype=torch.float64) for part in start]
    states = [AdamState(*(part.double() for part in AdamState.zeros(len(part)))) for part in start]
    if len(moved) == 1:
        return Weights(moved[0], OFF, states[0], AdamState(OFF, OFF, OFF))
    return Weights(*moved, *states)


def rows() -> Tensor:
    labels = torch.eye(CLASSES, dtype=torch.float64)[torch.arange(ROWS) % CLASSES]
    x = torch.rand(ROWS, FEATURES, generator=torch.Generator().manual_seed(4), dtype=torch.float64) * 1.6 - 0.8
    return torch.cat([x, labels], dim=1)


WHERE = torch.tensor(ROWS), torch.tensor(5), torch.tensor(0)


def as_learned(update: DistanceUpdate, using: Controls) -> tuple[Any, Tensor, Tensor]:
    """The rows as the generator learns from them, seed and iteration."""
    n_rows, *when = WHERE
    return update.learned(Pool(rows(), n_rows), using), *when


def directional(loss: Any, at: Tensor, gradient: Tensor, moves: Tensor) -> None:
    """Hold a gradient to central differences along random directions, in what it moves; where a kink lies within one
    step of a direction, a smaller step avoids it."""
    random = torch.Generator().manual_seed(8)
    assert (gradient[~moves] == 0).all()
    for _ in range(4):
        direction = moves * torch.randn(len(at), generator=random, dtype=torch.float64)
        errors = []
        for h in (1e-5, 1e-6, 1e-7):
            difference = (loss(at + h * direction) - loss(at - h * direction)) / (2 * h)
            expected = gradient @ direction
            errors.append(float((difference - expected).abs() / expected.abs().clamp(min=1e-2)))
        assert min(errors) < 1e-5, errors


def moved(generator: Generator) -> Tensor:
    """Which of its parameters gradients move: a VAE's posterior follows from its encoder and the training rows."""
    shapes = generator.layout.shapes
    return torch.cat([torch.full((math.prod(shapes[name]),), not name.startswith("posterior.")) for name in shapes])


@pytest.mark.parametrize(("generator", "critic", "loss"), PAIRS)
def test_gradients_are_those_of_finite_differences(generator: str, critic: str, loss: str) -> None:
    made = config(generator, critic, loss, penalty="zero_centered" if LOSSES[loss].needs_real else "two_sided")
    gan, using = critic_update(made), settings(made)
    here = weights(gan)
    batch = gan.critic_batches(here.generator, using, rows(), *WHERE)[0]

    def critic_step(flat: Tensor) -> Any:
        return gan.critic_step(flat, here.critic_adam, batch, using, torch.tensor(0.0))

    def generator_step(flat: Tensor) -> Any:
        return gan.generator_step(
            here._replace(generator=flat), using, gan.learned(Pool(rows(), WHERE[0]), using), *WHERE[1:]
        )

    whole = torch.ones(len(here.critic), dtype=torch.bool)
    for step, at, moves in (
        (critic_step, here.critic, whole),
        (generator_step, here.generator, moved(gan.generator)),
    ):
        _, state, statistics = step(at)
        torch.testing.assert_close(state.first.norm(), statistics.gradient)
        directional(lambda flat, step=step: step(flat)[2].loss, at, state.first, moves)


@pytest.mark.parametrize(("generator", "loss"), CRITIC_FREE)
def test_gradients_without_a_critic_are_those_of_finite_differences(generator: str, loss: str) -> None:
    made = config(generator, loss=loss)
    alone, using = update(made), settings(made)
    here = weights(alone)

    def step(flat: Tensor) -> Any:
        return alone.generator_step(
            here._replace(generator=flat), using, alone.learned(Pool(rows(), WHERE[0]), using), *WHERE[1:]
        )

    gradient = step(here.generator)[1].first
    directional(lambda flat: step(flat)[2].loss, here.generator, gradient, moved(alone.generator))


@pytest.mark.parametrize("critic", CRITICS)
def test_the_slope_is_that_of_finite_differences(critic: str) -> None:
    made = config(critic=critic)
    gan, using = critic_update(made), settings(made)
    parameters = gan.critic.parameters(weights(gan).critic, using)
    x, onehot = rows()[:, :FEATURES], rows()[:, FEATURES:]
    slope = gan.critic.slope(parameters, x, onehot, using)
    h = 1e-7
    for feature, step in enumerate(h * torch.eye(FEATURES, dtype=torch.float64)):
        one, other = (gan.critic.score(parameters, x + sign * step, onehot, using) for sign in (1, -1))
        torch.testing.assert_close((one - other) / (2 * h), slope[:, feature], rtol=1e-5, atol=1e-7)


# Masks

SIZES = (
    "latent_dim",
    "n_layers",
    "critic_width",
    "critic_layers",
    "filter_size",
    "vae_layers",
    "vae_width",
    "batch_size",
)


def outcome(gan: GanUpdate, here: Weights, using: Controls) -> tuple[Tensor, ...]:
    """What an iteration's statistics and gradients are, gradients of both players in full."""
    batch: CriticBatch = gan.critic_batches(here.generator, using, rows(), *WHERE)[0]
    _, critic, of_critic = gan.critic_step(here.critic, here.critic_adam, batch, using, torch.tensor(0.0))
    _, generator, of_generator = gan.generator_step(here, using, *as_learned(gan, using))
    return critic.first, generator.first, torch.stack([*of_critic, *of_generator[:2]])


def cases() -> list[tuple[str, str, str]]:
    """Every size with every generator or critic that has it."""
    of_generators = [
        (size, name, "mlp-concat") for size in SIZES for name in GENERATORS if size in config(name).generator.uses
    ]
    return of_generators + [
        (size, "classical", name) for size in SIZES for name in CRITICS if size in config(critic=name).critic.uses
    ]


@pytest.mark.parametrize(("size", "generator", "critic"), cases())
def test_parameters_out_of_use_are_inert_and_have_no_gradient(size: str, generator: str, critic: str) -> None:
    """Which parameters those are is found by their gradient, at a point where no other gradient is 0; scrambling them
    changes neither statistics nor gradients, and with everything in use they matter."""
    made = config(generator, critic, "non_saturating", penalty="two_sided")
    gan, using = critic_update(made), settings(made)
    whole = settings(made, **{size: float(CAPACITY[size])})
    here = weights(gan)
    part, full = outcome(gan, here, using), outcome(gan, here, whole)
    idle = [(one == 0) & (other != 0) for one, other in zip(part[:2], full[:2], strict=True)]
    assert sum(int(each.sum()) for each in idle) > 0
    scrambled = [
        torch.where(each, 5.0 + 3 * flat, flat) for each, flat in zip(idle, (here.critic, here.generator), strict=True)
    ]
    changed = here._replace(critic=scrambled[0], generator=scrambled[1])
    for one, other in zip(part, outcome(gan, changed, using), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(full[2], outcome(gan, changed, whole)[2])


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("critic", ["mlp-auxiliary", "conv-projection"])
def test_samples_beyond_the_batch_size_are_inert(generator: str, critic: str) -> None:
    made = config(generator, critic, "hinge")
    gan, using = critic_update(made), settings(made)
    here = weights(gan)
    batch = gan.critic_batches(here.generator, using, rows(), *WHERE)[0]

    def step(first: int) -> Tensor:
        parts = [torch.cat([part[:first], 0.3 * part[first:] + 0.2]) for part in batch[:4]]
        changed = CriticBatch(*parts)._replace(listed=batch.listed)
        return gan.critic_step(here.critic, here.critic_adam, changed, using, torch.tensor(0.0))[1].first

    assert torch.equal(step(3), step(4))
    assert not torch.equal(step(2), step(4))


# What costs nothing unless it is used


def test_what_a_study_does_not_touch_is_not_built() -> None:
    plain = TrialConfig(n_qubits=2)
    assert not set(SPARED) & set(plain.used)
    pop = Population(plain, 2, 1, 1)
    assert [name for name, value in pop._controls._asdict().items() if not is_on(value)] == [
        "critic_layer_mask",
        "filter_mask",
        "vae_layer_mask",
        "vae_unit_mask",
        "kl_weight",
        "weight_average",
        "label_smoothing",
        "instance_noise",
        "fidelity_weight",
        "diversity_weight",
        "shots",
        "adversarial_weight",
        "critic_start",
        "pattern",
        "utility_weight",
        "balance_weight",
    ]
    assert not is_on(pop._weights.average)


# Batches hold every class where fidelity_weight may act.
@pytest.mark.parametrize("name", sorted(set(SPARED) - {"fidelity_weight"}))
def test_at_the_value_that_does_nothing_it_does_nothing(name: str) -> None:
    """A study that could use it, but has it at that value, trains as one that could not."""
    idle = {name: 3 if value is None else value for name, value in SPARED.items()} | {"shots": 20}
    plain = {**PART, **idle, "shots": None}
    kind = "int" if name in ("critic_layers", "pattern", "critic_start") else "float"
    high = {"critic_layers": 3, "weight_average": 0.9, "label_smoothing": 0.5, "shots": 20}.get(name, 1.0)
    need = {"shots": {"engine": {"shots": 20}}, "pattern": {"patterns": ["ry_rx_cnot_chain"]}}.get(name, {})
    space = {name: {"kind": kind, "low": int(name in ("critic_layers", "shots")), "high": high}}
    runs = []
    for more in ({}, {"search_space": space}):
        pop = population(config(loss="standard", defaults=plain, **need, **more))
        assert (name in pop.values) == bool(more)
        assert all(pop.values[name] == idle[name]) if more else True
        pop.advance(3)
        runs.append((learned(pop, 0), pop.evaluate().score))
    (one, score), (other, score_there) = runs
    for part in ("generator", "critic"):
        torch.testing.assert_close(one[part], other[part], rtol=0, atol=1e-6)
    torch.testing.assert_close(score, score_there, rtol=0, atol=1e-5)

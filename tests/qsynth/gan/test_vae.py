"""What the VAE's rows are made of: latents of the prior, or of each class's aggregated posterior."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from qsynth.data.tabular import TableData
from qsynth.gan.generator import Rows
from qsynth.gan.vae import VAEGenerator, VAEGeneratorConfig
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import OFF, Controls

LATENT, CLASSES, FEATURES, WIDTH = 3, 3, 4, 6
N_POSTERIOR = CLASSES * LATENT * (1 + LATENT)
SEED = torch.tensor(7)
SIZES = {"latent_dim": LATENT, "vae_width": WIDTH, "batch_size": 8}
SOURCE = TableData(name="iris", n_train=40)


def trial(rows: str = "posterior", **changes: Any) -> TrialConfig:
    return TrialConfig.model_validate(
        {
            "n_qubits": FEATURES,
            "generator": {"kind": "vae", "rows": rows},
            "loss": "energy",
            "capacity": SIZES,
            "defaults": SIZES | {"lr_generator": 0.02, "kl_weight": 0.01, "weight_average": 0.9},
            "score": {"balance": 0, "utility": 0, "n_rows": 32},
            **changes,
        }
    )


def generator(rows: str = "posterior", decoder: str = "classical") -> VAEGenerator:
    made = trial(generator={"kind": "vae", "rows": rows, "decoder": decoder})
    found = made.build_generator(made.circuit(), FEATURES, CLASSES)
    assert isinstance(found, VAEGenerator)
    return found


def settings(n_latent: int = LATENT) -> Controls:
    masks = {"vae_unit_mask": torch.ones(WIDTH), "vae_layer_mask": torch.ones(2), "kl_weight": torch.tensor(0.7)}
    used = (torch.arange(LATENT) < n_latent).float()
    return Controls(*[OFF] * 9)._replace(latent_mask=used, layer_mask=torch.ones(3), **masks)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def labels(n: int, n_classes: int = CLASSES) -> Tensor:
    return torch.eye(CLASSES)[torch.arange(n) % n_classes]


def moments(vae: VAEGenerator, flat: Tensor, x: Tensor, onehot: Tensor, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a mixture of normal distributions with equal shares, one for each row of a class."""
    own = onehot[:, label] == 1
    mean, log_variance = (part.double().numpy() for part in vae.encode(flat, x[own], onehot[own], settings()))
    second = [np.outer(m, m) + np.diag(np.exp(v)) for m, v in zip(mean, log_variance, strict=True)]
    centre = mean.mean(axis=0)
    return centre, np.mean(second, axis=0) - np.outer(centre, centre)


# Which latents


@pytest.mark.parametrize("n_latent", [LATENT, 2])
@pytest.mark.parametrize("decoder", ["classical", "quantum"])
def test_rows_of_a_class_come_from_the_posterior_of_its_training_rows(decoder: str, n_latent: int) -> None:
    vae, using = generator(decoder=decoder), settings(n_latent)
    start = vae.initial(SEED, 0)
    flat = start + 0.4 * normal(len(start), seed=3)
    x, onehot = normal(20, FEATURES, seed=1), labels(20, n_classes=2)
    onehot[15:] = 0  # rows that do not count
    x[15:] = 1e3
    found = vae.refreshed(flat, x, onehot, using)
    noise, asked = normal(9, LATENT, seed=2), labels(9)
    latent = noise.clone()
    for label in range(2):  # the third class has no rows: its latents are of the prior
        centre, covariance = moments(vae, flat, x, onehot, label)
        own = asked[:, label] == 1
        placed = centre + noise[own].double().numpy() @ np.linalg.cholesky(covariance).T
        latent[own] = torch.as_tensor(placed).float()
    of_decoder = flat[vae.encoder.size :][: vae.decoder.layout.size]
    expected = vae.decoder.sample(of_decoder, latent, asked, using)
    rows = vae.sample(found, noise, asked, using)
    torch.testing.assert_close(rows, expected, rtol=0, atol=1e-4)
    assert torch.equal(found[:-N_POSTERIOR], flat[:-N_POSTERIOR])


def test_before_the_first_iteration_the_posterior_is_the_prior() -> None:
    one, other = generator("posterior"), generator("prior")
    flat, given = one.initial(SEED, 0), (normal(6, LATENT), labels(6), settings())
    start = other.initial(SEED, 0)
    assert torch.equal(flat[: len(start)], start)
    assert torch.equal(one.sample(flat, *given), other.sample(start, *given))


@pytest.mark.parametrize("decoder", ["classical", "quantum"])
def test_rows_of_the_prior_are_the_decoders(decoder: str) -> None:
    vae = generator("prior", decoder)
    flat, given = vae.initial(SEED, 0), (normal(6, LATENT), labels(6), settings())
    assert len(flat) == vae.encoder.size + vae.decoder.layout.size
    assert torch.equal(vae.sample(flat, *given), vae.decoder.sample(flat[vae.encoder.size :], *given))
    assert vae.refreshed(flat, normal(6, FEATURES), labels(6), settings()) is flat


def test_reconstruction_and_divergence_are_those_of_the_source_paper_whatever_rows_are_made_of() -> None:
    real, noise = Rows(normal(8, FEATURES, seed=1), labels(8), torch.full((8,), 1 / 8)), normal(8, LATENT, seed=2)
    values = []
    for rows in ("prior", "posterior"):
        vae = generator(rows)
        flat = vae.refreshed(vae.initial(SEED, 0), real.x, real.onehot, settings())
        values.append(vae.regularised(torch.tensor(0.3), flat, noise, real, settings()))
    assert torch.equal(*values)


def test_settings_without_it_mean_the_prior() -> None:
    former = {"kind": "vae", "decoder": "classical", "patches": 1, "inputs": "shift", "output_scale": False}
    assert VAEGeneratorConfig.model_validate(former).rows == "prior"


# In training


def trained(n_iterations: int, n_lanes: int = 2, **changes: Any) -> Population:
    pop = Population(trial(**changes), FEATURES, CLASSES, n_lanes)
    pop.reset(range(n_lanes), [SOURCE.instance(seed, held_out=False) for seed in range(n_lanes)], range(n_lanes))
    pop.advance(n_iterations)
    return pop


def test_the_posterior_is_of_the_lanes_own_rows_and_of_the_parameters_that_make_rows() -> None:
    pop = trained(3)
    vae = pop.generator
    for lane, instance in enumerate(pop.instances):
        assert instance is not None
        x, onehot = torch.as_tensor(instance.train.x), torch.eye(CLASSES)[torch.as_tensor(instance.train.y)]
        tensors = pop.snapshot(lane).tensors
        for flat in (tensors["generator"], tensors["average"]):
            expected = vae.refreshed(flat, x, onehot, pop._controls.of_lane(lane))
            torch.testing.assert_close(flat, expected, rtol=0, atol=1e-5)
        assert (tensors["generator"] != tensors["average"]).float().mean() > 0.5
        assert (tensors["generator_adam.first"][-N_POSTERIOR:] == 0).all()


def energy_distance(one: Tensor, other: Tensor) -> float:
    within = torch.cdist(one, one).mean() + torch.cdist(other, other).mean()
    return float(2 * torch.cdist(one, other).mean() - within)


def test_rows_of_the_posterior_are_nearer_to_the_data_than_those_of_the_prior() -> None:
    """Where next to nothing holds the posterior to the prior."""
    pop = trained(150, n_lanes=3, defaults=SIZES | {"lr_generator": 0.02, "kl_weight": 0.001})
    vae, onehot = pop.generator, labels(300)
    prior = vae.initial(SEED, 0)[-N_POSTERIOR:]
    for lane, instance in enumerate(pop.instances):
        assert instance is not None
        flat, noise, using = pop.snapshot(lane).generator, normal(300, LATENT), pop._controls.of_lane(lane)
        distances = []
        for parameters in (flat, torch.cat([flat[:-N_POSTERIOR], prior])):
            rows, real = vae.sample(parameters, noise, onehot, using), torch.as_tensor(instance.train.x)
            distances.append(energy_distance(rows, real))
        assert distances[0] < 0.5 * distances[1], distances

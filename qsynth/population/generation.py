"""Rows that generators of a whole population make for evaluation."""

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.data.dataset import Instance
from qsynth.data.labels import stratified
from qsynth.gan.generator import Generator
from qsynth.gan.update import STREAM_EVALUATION, STREAM_GENERATOR
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import Controls
from qsynth.space.hyperparameters import controls

UNTRAINED_SEED = 1 << 40


def generate(generator: Generator, flat: Tensor, seeds: Tensor, onehot: Tensor, using: Controls) -> Tensor:
    """Lanes x rows x n_features, of parameters (lanes x ...), seeds (lanes) and labels (lanes x rows x n_classes)."""
    size, n_noise = onehot.shape[1], generator.n_noise

    def rows(parameters: Tensor, seed: Tensor, labels: Tensor, settings: Controls) -> Tensor:
        z = rng.normal(seed, STREAM_EVALUATION, torch.zeros((), dtype=torch.int64), size * n_noise)
        return generator.sample(parameters, z.reshape(size, n_noise), labels, settings)

    return vmap(rows)(flat, seeds, onehot, using)


def evaluation_labels(instance: Instance, n_rows: int) -> Tensor:
    """Labels to evaluate with (rows x n_classes), in the training rows' shares, in a fixed mixed order."""
    return torch.eye(instance.n_classes)[torch.as_tensor(stratified(instance.class_shares, n_rows))]


def untrained(generator: Generator, config: TrialConfig, _: Instance, onehot: Tensor) -> Tensor:
    """Models x rows x n_features, of untrained generators at the default hyperparameters for labels ``onehot``."""
    n = config.score.n_untrained
    seeds = torch.arange(n) + UNTRAINED_SEED
    defaults = {name: np.full(n, config.default(name)) for name in config.used}
    flat = vmap(lambda seed: generator.initial(seed, STREAM_GENERATOR))(seeds)
    return generate(generator, flat, seeds, onehot.expand(n, -1, -1), controls(defaults, config.capacity))

"""Rows that generators of a whole population make for evaluation."""

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from qsynth import rng
from qsynth.data.dataset import Instance
from qsynth.data.labels import stratified
from qsynth.gan.quantum import QuantumGenerator
from qsynth.gan.update import STREAM_EVALUATION, STREAM_GENERATOR, Controls
from qsynth.hyperparameters import NAMES, controls
from qsynth.trial import TrialConfig

UNTRAINED_SEED = 1 << 40


def generate(generator: QuantumGenerator, flat: Tensor, seeds: Tensor, onehot: Tensor, using: Controls) -> Tensor:
    """Lanes x rows x n_features, of parameters (lanes x ...), seeds (lanes) and labels (lanes x rows x n_classes)."""
    size, latent = onehot.shape[1], generator.latent_dim

    def rows(parameters: Tensor, seed: Tensor, labels: Tensor, latent_mask: Tensor, layer_mask: Tensor) -> Tensor:
        z = rng.normal(seed, STREAM_EVALUATION, torch.zeros((), dtype=torch.int64), size * latent)
        return generator.sample(parameters, z.reshape(size, latent), labels, latent_mask, layer_mask)

    return vmap(rows)(flat, seeds, onehot, using.latent_mask, using.layer_mask)


def evaluation_labels(instance: Instance, n_rows: int) -> Tensor:
    """Labels to evaluate with (rows x n_classes), in the training rows' shares, in a fixed mixed order."""
    return torch.eye(instance.n_classes)[torch.as_tensor(stratified(instance.class_shares, n_rows))]


def untrained(generator: QuantumGenerator, config: TrialConfig, onehot: Tensor) -> Tensor:
    """Models x rows x n_features, of untrained generators at the default hyperparameters for labels ``onehot``."""
    n = config.score.n_untrained
    seeds = torch.arange(n) + UNTRAINED_SEED
    defaults = {name: np.full(n, float(getattr(config.defaults, name))) for name in NAMES}
    flat = vmap(lambda seed: generator.initial(seed, STREAM_GENERATOR))(seeds)
    return generate(generator, flat, seeds, onehot.expand(n, -1, -1), controls(defaults, config.capacity))

"""Trials side by side, the generators that validation rows prefer, and the classical twin of a quantum trial."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.gan.classical import ClassicalGeneratorConfig
from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig

RATES = ("lr_generator", "lr_critic")


def closest(card: Scorecard) -> Tensor:
    """Minus each lane's distance to the validation rows."""
    return -card.raw["fidelity"]


def best_score(card: Scorecard) -> Tensor:
    """Each lane's composite score."""
    return card.score


def train(
    population: Population,
    instances: Sequence[Instance],
    seeds: Sequence[int],
    n_steps: int,
    every: int,
    worth: Callable[[Scorecard], Tensor],
    decay: float = 1.0,
) -> list[int]:
    """Train a lane for each instance, and leave in it the generator that the validation rows preferred.

    Arguments are those of :func:`preferred`.

    Returns:
        how many iterations each lane's generator has behind it.
    """
    kept = preferred(population, instances, seeds, n_steps, every, worth, decay)
    for lane, (snapshot, instance) in enumerate(zip(kept, instances, strict=True)):
        population.restore(lane, snapshot, instance)
    return [snapshot.iteration for snapshot in kept]


def preferred(
    population: Population,
    instances: Sequence[Instance],
    seeds: Sequence[int],
    n_steps: int,
    every: int,
    worth: Callable[[Scorecard], Tensor],
    decay: float = 1.0,
) -> list[Snapshot]:
    """Train a lane for each instance to its end; the trials as the validation rows preferred them.

    Args:
        every: GAN iterations between evaluations.
        worth: of each lane, what is best where it is largest.
        decay: what the learning rates are multiplied by over the run, as an exponential.
    """
    lanes, defaults = range(population.n_lanes), population.config.defaults
    population.reset(lanes, instances, seeds)
    rates = [name for name in RATES if name in population.values]  # without a critic there is one
    kept, best = [population.snapshot(lane) for lane in lanes], np.full(len(lanes), -np.inf)
    for start in range(0, n_steps, every):
        factor = decay ** (start / n_steps)
        population.apply({name: np.array(factor * getattr(defaults, name)) for name in rates})
        population.advance(every)
        for lane, found in enumerate(worth(population.evaluate()).tolist()):
            if found > best[lane] and not population.diverged[lane]:
                kept[lane], best[lane] = population.snapshot(lane), found
    return kept


def sampled(population: Population, lane: int, labels: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Synthetic rows (n x d, scaled space) of a lane for class indices ``labels`` (n)."""
    onehot = torch.eye(population.n_classes)[torch.as_tensor(labels)]
    return population.sample(lane, onehot, seed).double().numpy()


def n_parameters(config: TrialConfig, n_features: int, n_classes: int) -> int:
    """Of the trial's generator."""
    return config.build_generator(config.circuit(), n_features, n_classes).layout.size


def classical_twin(config: TrialConfig, n_features: int, n_classes: int) -> TrialConfig:
    """The same trial with a classical generator of as nearly the same number of parameters as whole units allow."""
    n_inputs = config.capacity.latent_dim + n_classes
    wanted = n_parameters(config, n_features, n_classes)
    n_hidden = max(1, round((wanted - n_features) / (n_inputs + 1 + n_features)))
    generator = ClassicalGeneratorConfig(n_hidden=n_hidden).model_dump()
    return config.replaced(generator=generator, readout="z", search_space={})

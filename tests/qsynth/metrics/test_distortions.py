"""The score puts distorted rows where a person would: below real ones, and the stronger the lower."""

import functools
import itertools

import numpy as np
import pytest
import torch

from qsynth.data.dataset import Instance
from qsynth.data.images import DigitImages
from qsynth.data.tabular import TableData
from qsynth.execution.compilation import eager
from qsynth.metrics.energy import EnergyDistance
from qsynth.metrics.likeness import LocalDiscrepancy
from qsynth.metrics.score import Scorecard
from qsynth.population.measures import Measures
from qsynth.population.trial import TrialConfig
from tests.benchmarks.distortions import (
    FAMILIES,
    REAL,
    Distortion,
    copies,
    dropped,
    duplication,
    jitter,
    measured,
    misshared,
    real,
    relabelled,
    shuffled,
    spread,
)

N_INSTANCES = 24
SOURCE = DigitImages(classes=(0, 1, 2), n_features=4)
# Distortion -> the term that must see it, and how much of that it must take away at least.
SEEN: dict[str, tuple[Distortion, str, float]] = {
    "noise": (jitter(0.6), "diversity", 0.03),
    "scatter": (spread(1.6), "diversity", 0.1),
    "thin": (spread(0.7), "diversity", 0.1),
    "thin at large": (spread(0.5), "fidelity", 0.2),
    "repetition": (duplication(3), "diversity", 0.1),
    "modes": (dropped(0.5), "fidelity", 0.2),
    "labels": (relabelled(0.1), "balance", 0.1),
    "shares": (misshared(0.5), "balance", 0.1),
    "copies": (copies(0.01), "novelty", 0.5),
}


@functools.cache
def setting() -> tuple[Measures, list[Instance]]:
    instances = [SOURCE.instance(seed, held_out=False) for seed in range(N_INSTANCES)]
    config = TrialConfig.model_validate({"n_qubits": 4, "score": {"utility": 0}})
    first = instances[0]
    return Measures(config, config.circuit(), first.n_features, first.n_classes, N_INSTANCES, eager), instances


@functools.cache
def card(distortion: Distortion) -> Scorecard:
    measures, instances = setting()
    randoms = [np.random.default_rng(index) for index in range(N_INSTANCES)]
    rows = [shuffled(distortion(each, r), r) for each, r in zip(instances, randoms, strict=True)]
    return measured(measures, instances, "validation", rows)


def error(values: torch.Tensor) -> float:
    return float(values.std() / len(values) ** 0.5)


def test_a_second_real_sample_is_worth_1_in_every_term() -> None:
    found = card(real)
    for values in (found.score, *found.utilities.values()):
        assert values.mean().item() == pytest.approx(1, abs=3 * error(values))
        assert error(values) < 0.04
    assert found.score.max() > 1  # no ceiling that lowers the mean of real rows


@pytest.mark.parametrize("name", SEEN)
def test_every_distortion_costs_in_the_term_that_is_for_it(name: str) -> None:
    distortion, term, least = SEEN[name]
    lost = card(real).utilities[term] - card(distortion).utilities[term]
    assert lost.mean() > least
    assert lost.mean() > 3 * error(lost)


@pytest.mark.parametrize("family", FAMILIES)
def test_distorted_rows_are_worth_less_the_stronger_the_less(family: str) -> None:
    worth = {REAL: card(real).score} | {name: card(each).score for name, each in FAMILIES[family].items()}
    names = list(worth)
    for milder, name in itertools.pairwise(names):
        lost = worth[milder] - worth[name]
        assert lost.mean() > -2 * error(lost), f"{name} is better than {milder}"
    strongest = worth[REAL] - worth[names[-1]]
    assert strongest.mean() > max(0.01, 2 * error(strongest))


@pytest.mark.parametrize("metric", [EnergyDistance, LocalDiscrepancy])
@pytest.mark.parametrize("n_rows", [12, 40, 100])
def test_the_mean_over_real_samples_does_not_depend_on_how_many_rows_they_have(
    metric: type[EnergyDistance] | type[LocalDiscrepancy], n_rows: int
) -> None:
    """Normal rows of two classes against rows of the same law."""
    instance = TableData(name="breast_cancer").instance(0, held_out=False)
    made = metric(instance.n_features, instance.n_classes)
    ready = made.prepare(instance, instance.validation)
    random = torch.Generator().manual_seed(0)

    def law(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        onehot = torch.eye(2)[torch.arange(n) % 2].expand(400, -1, -1)
        return 0.3 * torch.randn(400, n, instance.n_features, generator=random) + 0.3 * onehot[..., :1], onehot

    prepared = {name: value.expand(400, *value.shape) for name, value in ready.items()}
    (x, onehot), (other, other_onehot) = law(n_rows), law(30)
    if isinstance(made, EnergyDistance):
        rows = made._joint(other, other_onehot)
        prepared |= {"rows": rows, "spread": made._spread(rows, other_onehot)}
    else:
        rows = other @ prepared["map"]
        prepared |= {"rows": rows, "onehot": other_onehot, "likeness": made._own(rows, other_onehot)}
    found = made.measure(prepared, x, onehot)[made.name]
    assert found.mean().item() == pytest.approx(0, abs=3 * error(found))
    assert error(found) < 0.1 * made.half

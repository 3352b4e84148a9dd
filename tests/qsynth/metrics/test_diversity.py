"""Variety, which scattering does not raise."""

import numpy as np
import pytest
import torch
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.tabular import TableData
from qsynth.metrics.diversity import EntropyRatio


def missing(instance: Instance, x: Tensor) -> float:
    metric = EntropyRatio(instance.n_features, instance.n_classes)
    prepared = {name: value[None] for name, value in metric.prepare(instance, instance.validation).items()}
    onehot = torch.ones(1, len(x), instance.n_classes) / instance.n_classes
    return metric.measure(prepared, x[None], onehot)["diversity"].item()


@pytest.fixture(scope="module", params=[GaussianFamily(), TableData(name="breast_cancer")], ids=["1-d", "4-d"])
def instance(request: pytest.FixtureRequest) -> Instance:
    made: Instance = request.param.instance(0, held_out=True)
    return made


def test_a_second_real_sample_misses_little(instance: Instance) -> None:
    assert missing(instance, torch.as_tensor(instance.reserve.x)) < 0.25


def test_collapsed_rows_miss_nearly_everything(instance: Instance) -> None:
    centre = torch.zeros(128, instance.n_features)
    assert missing(instance, centre) > 0.95
    noise = torch.randn(128, instance.n_features, generator=torch.Generator().manual_seed(0))
    assert missing(instance, centre + 1e-3 * noise) > 0.9


def test_rows_that_repeat_a_few_real_ones_miss_much(instance: Instance) -> None:
    few = torch.as_tensor(instance.reserve.x)[:8]
    assert missing(instance, few.repeat(16, 1)) > 0.9


def test_scattering_gains_nothing(instance: Instance) -> None:
    real = torch.as_tensor(instance.validation.x)
    assert missing(instance, real) == pytest.approx(0, abs=1e-6)
    assert missing(instance, 10 * real) == 0


def test_shrinking_loses_what_it_shrinks() -> None:
    """In one dimension the entropy power's root is proportional to the spread."""
    instance = GaussianFamily().instance(0, held_out=True)
    random = np.random.default_rng(0)
    real = torch.as_tensor(random.normal(0, 0.2, (128, 1)), dtype=torch.float32)
    whole, half = missing(instance, 0.8 * real), missing(instance, 0.4 * real)
    assert (1 - half) / (1 - whole) == pytest.approx(0.5, abs=0.03)


def test_the_number_of_rows_hardly_matters() -> None:
    instance = GaussianFamily().instance(0, held_out=True)
    narrow = torch.as_tensor(np.random.default_rng(0).normal(0, 0.1, (128, 1)), dtype=torch.float32)
    assert missing(instance, narrow[:64]) == pytest.approx(missing(instance, narrow), abs=0.12)
    assert missing(instance, narrow) == pytest.approx(0.5, abs=0.12)

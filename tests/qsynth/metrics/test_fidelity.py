"""Sliced Wasserstein distance against scipy's, and its view of labels."""

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from qsynth.data.dataset import Instance, Split
from qsynth.data.gaussian import GaussianFamily
from qsynth.data.tabular import TableData
from qsynth.metrics.fidelity import QUANTILES, SlicedWasserstein


def one_dimensional(sample: np.ndarray, real: np.ndarray) -> float:
    """The metric of two samples of numbers."""
    part = Split(real[:, None].astype(np.float32), np.zeros(len(real), dtype=np.int64))
    metric = SlicedWasserstein(1, 1)
    instance: Instance = GaussianFamily(n_train=16).instance(0, held_out=True)
    prepared = {name: value[None] for name, value in metric.prepare(instance, part).items()}
    x = torch.as_tensor(sample, dtype=torch.float32)[None, :, None]
    return metric.measure(prepared, x, torch.ones(1, len(sample), 1))["fidelity"].item()


def test_equal_sizes_give_the_wasserstein_distance() -> None:
    random = np.random.default_rng(0)
    sample, real = random.normal(0.2, 0.3, QUANTILES), random.normal(-0.1, 0.2, QUANTILES)
    assert one_dimensional(sample, real) == pytest.approx(wasserstein_distance(sample, real), abs=1e-6)


@pytest.mark.parametrize(("n_sample", "n_real"), [(1000, 256), (256, 4096), (300, 1000), (20, 2000)])
def test_other_sizes_give_nearly_the_wasserstein_distance(n_sample: int, n_real: int) -> None:
    random = np.random.default_rng(1)
    sample, real = random.normal(0.2, 0.3, n_sample), random.uniform(-1, 0.5, n_real)
    assert one_dimensional(sample, real) == pytest.approx(wasserstein_distance(sample, real), rel=0.02, abs=2e-3)


def test_a_shift_counts_as_far_as_it_goes_and_in_both_directions() -> None:
    real = np.random.default_rng(2).normal(0, 0.2, QUANTILES)
    assert one_dimensional(real + 0.25, real) == pytest.approx(0.25, abs=1e-6)
    assert one_dimensional(real - 0.25, real) == pytest.approx(0.25, abs=1e-6)


def test_rows_with_the_wrong_class_are_far_away() -> None:
    instance = TableData(name="breast_cancer").instance(0, held_out=False)
    metric = SlicedWasserstein(instance.n_features, 2)
    prepared = {name: value[None] for name, value in metric.prepare(instance, instance.validation).items()}
    x, labels = torch.as_tensor(instance.train.x)[None], torch.as_tensor(instance.train.y)
    right, shuffled = (
        metric.measure(prepared, x, torch.eye(2)[order][None])["fidelity"].item()
        for order in (labels, labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))])
    )
    swapped = metric.measure(prepared, x, torch.eye(2)[1 - labels][None])["fidelity"].item()
    assert right < 0.5 * shuffled
    assert shuffled < swapped

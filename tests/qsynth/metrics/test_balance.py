"""Class shares, as a classifier sees them."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.data.tabular import TableData
from qsynth.metrics.balance import ClassShares


@pytest.fixture(scope="module", params=["breast_cancer", "iris"])
def instance(request: pytest.FixtureRequest) -> Instance:
    return TableData(name=request.param).instance(0, held_out=False)


def measure(instance: Instance, x: Tensor, onehot: Tensor) -> float:
    metric = ClassShares(instance.n_features, instance.n_classes)
    prepared = {name: value[None] for name, value in metric.prepare(instance, instance.validation).items()}
    return metric.measure(prepared, x[None], onehot[None])["balance"].item()


def seen(instance: Instance, x: np.ndarray) -> np.ndarray:
    """Shares of the classes that scikit-learn predicts."""
    model = LogisticRegression(max_iter=1000).fit(instance.train.x, instance.train.y)
    return np.bincount(model.predict(x), minlength=instance.n_classes) / len(x)


def test_one_class_alone_misses_the_share_of_the_others(instance: Instance) -> None:
    shares = seen(instance, instance.validation.x)
    for label in range(instance.n_classes):
        centre = torch.as_tensor(instance.train.x[instance.train.y == label].mean(axis=0))
        found = measure(instance, centre.expand(40, -1), torch.eye(instance.n_classes)[torch.full((40,), label)])
        assert found == pytest.approx(1 - shares[label], abs=1e-5)


def test_any_rows_have_the_distance_computed_by_hand(instance: Instance) -> None:
    x = instance.train.x[instance.train.y > 0]
    wanted = 0.5 * np.abs(seen(instance, x) - seen(instance, instance.validation.x)).sum()
    assert wanted > 0.05
    onehot = torch.eye(instance.n_classes)[torch.zeros(len(x), dtype=torch.int64)]
    assert measure(instance, torch.as_tensor(x), onehot) == pytest.approx(wanted, abs=1e-5)


def test_the_labels_that_were_asked_for_do_not_count(instance: Instance) -> None:
    x = torch.as_tensor(instance.train.x)
    one, other = (torch.eye(instance.n_classes)[torch.full((len(x),), label)] for label in (0, 1))
    assert measure(instance, x, one) == measure(instance, x, other)

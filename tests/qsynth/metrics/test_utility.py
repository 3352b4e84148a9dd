"""What rows are worth to a QNN."""

import pytest
import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.data.tabular import TableData
from qsynth.metrics.utility import QNNUtility
from qsynth.population.measures import build_qnn
from qsynth.population.trial import TrialConfig


@pytest.fixture(scope="module")
def instance() -> Instance:
    return TableData(name="breast_cancer").instance(0, held_out=False)


@pytest.fixture(scope="module")
def found(instance: Instance) -> dict[str, Tensor]:
    """The metric of two trials: the reserve's rows with their own labels, and with random ones."""
    metric = QNNUtility(build_qnn(TrialConfig(n_qubits=4), instance.n_features, 2))
    prepared = metric.prepare(instance, instance.validation)
    x, labels = torch.as_tensor(instance.reserve.x), torch.as_tensor(instance.reserve.y)
    random = torch.randint(0, 2, (len(labels),), generator=torch.Generator().manual_seed(0))
    return metric.measure(
        {name: torch.stack([value, value]) for name, value in prepared.items()},
        torch.stack([x, x]),
        torch.eye(2)[torch.stack([labels, random])],
    )


def test_real_rows_are_worth_more_than_rows_with_random_labels(found: dict[str, Tensor]) -> None:
    good, bad = found["utility"].tolist()
    assert good < 0.35  # nats; guessing costs 0.69
    assert bad > good + 0.1


def test_balanced_accuracy_is_reported(found: dict[str, Tensor]) -> None:
    assert (found["qnn_accuracy"] <= 1).all()
    assert found["qnn_accuracy"][0] > 0.85


def test_it_is_the_part_compared_with_that_is_predicted(instance: Instance) -> None:
    """Held-out rows whose labels are swapped are predicted worse than by guessing."""
    metric = QNNUtility(build_qnn(TrialConfig(n_qubits=4), instance.n_features, 2))
    swapped = Split(instance.validation.x, 1 - instance.validation.y)
    prepared = {name: value[None] for name, value in metric.prepare(instance, swapped).items()}
    onehot = torch.eye(2)[torch.as_tensor(instance.reserve.y)][None]
    found = metric.measure(prepared, torch.as_tensor(instance.reserve.x)[None], onehot)
    assert found["utility"] > 0.7
    assert found["qnn_accuracy"] < 0.3


def test_both_halves_of_the_training_rows_count(instance: Instance) -> None:
    """Synthetic rows weigh as much as the real ones, however many there are."""
    metric = QNNUtility(build_qnn(TrialConfig(n_qubits=4), instance.n_features, 2))
    prepared = {name: value[None] for name, value in metric.prepare(instance, instance.validation).items()}
    x, labels = torch.as_tensor(instance.reserve.x), torch.as_tensor(instance.reserve.y)
    wrong = torch.eye(2)[1 - labels]
    once = metric.measure(prepared, x[None], wrong[None])["utility"].item()
    twice = metric.measure(prepared, x.repeat(2, 1)[None], wrong.repeat(2, 1)[None])["utility"].item()
    assert once == pytest.approx(twice, abs=1e-3)
    assert once == pytest.approx(0.69, abs=0.15)  # as many rows for a class as against it

"""Which metrics a study measures, and how a raw value becomes a utility."""

import pytest
import torch

from qsynth.errors import QsynthError
from qsynth.metrics.metric import Anchors, utility
from qsynth.metrics.registry import METRICS
from qsynth.population.measures import build_metrics, build_qnn
from qsynth.population.trial import TrialConfig


def config(n_qubits: int = 4, **weights: float) -> TrialConfig:
    return TrialConfig.model_validate({"n_qubits": n_qubits, "score": weights})


def names(made: TrialConfig, n_classes: int) -> list[str]:
    return [metric.name for metric in build_metrics(made, 2, n_classes)]


def test_metrics_without_weight_are_not_measured() -> None:
    assert names(config(), 2) == ["fidelity", "diversity", "balance", "utility"]
    assert names(config(balance=0, fidelity=0), 2) == ["diversity", "utility"]
    for name in METRICS:
        weights = {other: float(other == name) for other in METRICS}
        assert names(config(**weights), 2) == [name]


def test_one_class_needs_no_metric_of_classes() -> None:
    assert names(config(), 1) == ["fidelity", "diversity"]
    with pytest.raises(QsynthError, match="fidelity or diversity"):
        names(config(fidelity=0, diversity=0), 1)


def test_the_qnn_has_a_qubit_for_every_feature_and_class() -> None:
    config = TrialConfig(n_qubits=2)
    assert build_qnn(config, 2, 2).model.circuit.n_qubits == 2
    assert build_qnn(config, 4, 2).model.circuit.n_qubits == 4
    assert build_qnn(config, 2, 3).model.circuit.n_qubits == 3


def test_utility_runs_between_its_anchors() -> None:
    anchors = Anchors(torch.tensor(0.5), torch.tensor(0.1))
    raw = torch.tensor([0.1, 0.2, 0.5, 0.0, 0.9, torch.nan, torch.inf, -torch.inf])
    found = utility(raw, anchors, 0.02)
    torch.testing.assert_close(found, torch.tensor([1, 0.75, 0, 1, 0, 0, 0, 0]))


def test_the_floor_keeps_noise_from_becoming_score() -> None:
    anchors = Anchors(torch.tensor(0.101), torch.tensor(0.1))
    torch.testing.assert_close(utility(torch.tensor([0.11, 0.101]), anchors, 0.02), torch.tensor([0.5, 0.95]))
    reversed_anchors = Anchors(torch.tensor(0.05), torch.tensor(0.1))
    torch.testing.assert_close(utility(torch.tensor([0.11]), reversed_anchors, 0.02), torch.tensor([0.5]))

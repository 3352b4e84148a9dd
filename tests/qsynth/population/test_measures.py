"""Which metrics a study measures, and how a raw value becomes a utility."""

import pytest
import torch

from qsynth.errors import QsynthError
from qsynth.metrics.metric import Anchors, open_utility, utility
from qsynth.metrics.registry import METRICS
from qsynth.population.measures import build_metrics, build_qnn
from qsynth.population.trial import TrialConfig


def config(n_qubits: int = 4, **weights: float) -> TrialConfig:
    return TrialConfig.model_validate({"n_qubits": n_qubits, "score": weights})


def names(made: TrialConfig, n_classes: int) -> list[str]:
    return [metric.name for metric in build_metrics(made, 2, n_classes)]


def test_metrics_without_weight_are_not_measured() -> None:
    assert names(config(), 2) == ["fidelity", "diversity", "balance", "utility", "novelty"]
    assert names(config(balance=0, fidelity=0), 2) == ["diversity", "utility", "novelty"]
    for name in METRICS:
        weights = {other: float(other == name) for other in METRICS}
        assert names(config(**weights), 2) == [name]


def test_one_class_needs_no_metric_of_classes() -> None:
    assert names(config(), 1) == ["fidelity", "diversity", "novelty"]
    with pytest.raises(QsynthError, match="fidelity, diversity or novelty"):
        names(config(fidelity=0, diversity=0, novelty=0), 1)


def test_the_qnn_has_a_qubit_for_every_feature_and_class() -> None:
    config = TrialConfig(n_qubits=2)
    assert build_qnn(config, 2, 2).model.circuit.n_qubits == 2
    assert build_qnn(config, 4, 2).model.circuit.n_qubits == 4
    assert build_qnn(config, 2, 3).model.circuit.n_qubits == 3


def test_utility_runs_between_its_anchors() -> None:
    anchors = Anchors(torch.tensor(0.5), torch.tensor(0.1), torch.tensor(1.0))
    raw = torch.tensor([0.1, 0.2, 0.5, 0.0, 0.9, torch.nan, torch.inf, -torch.inf])
    found = utility(raw, anchors, 0.02)
    torch.testing.assert_close(found, torch.tensor([1, 0.75, 0, 1, 0, 0, 0, 0]))


def test_the_floor_keeps_noise_from_becoming_score() -> None:
    anchors = Anchors(torch.tensor(0.101), torch.tensor(0.1), torch.tensor(1.0))
    torch.testing.assert_close(utility(torch.tensor([0.11, 0.101]), anchors, 0.02), torch.tensor([0.5, 0.95]))
    reversed_anchors = Anchors(torch.tensor(0.05), torch.tensor(0.1), torch.tensor(1.0))
    torch.testing.assert_close(utility(torch.tensor([0.11]), reversed_anchors, 0.02), torch.tensor([0.5]))


def test_open_utility_is_a_line_from_real_rows_to_a_half_and_never_0_below() -> None:
    anchors = Anchors(torch.tensor(0.5), torch.tensor(0.1), torch.tensor(1.0))
    raw = torch.tensor([-0.1, 0.1, 0.3, 0.5, 0.9, 4.1, torch.nan, torch.inf, -torch.inf])
    wanted = torch.tensor([1.25, 1, 0.75, 0.5, 0.25, 0.05, 0, 0, 0])
    torch.testing.assert_close(open_utility(raw, anchors, 0.0), wanted)

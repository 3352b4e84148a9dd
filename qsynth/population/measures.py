"""The metrics that a study's score is made of."""

import functools

from qsynth.circuits import engine as engines
from qsynth.execution.compilation import Build, eager
from qsynth.metrics.metric import Metric, MetricSetting
from qsynth.metrics.registry import METRICS
from qsynth.population.trial import TrialConfig
from qsynth.qnn.fit import QNNFit
from qsynth.qnn.model import QuantumClassifier


def build_metrics(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> list[Metric]:
    """Metrics with a weight above 0; some need at least two classes.

    Args:
        build: makes programs of what is measured often, for one number of trials and rows.

    Raises:
        StudyError: no metric is left.
    """
    make_qnn = functools.partial(build_qnn, config, n_features, n_classes, build)
    setting = MetricSetting(n_features, n_classes, make_qnn)
    return [METRICS[name].of(setting) for name in config.score.measured(n_classes)]


def build_qnn(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> QNNFit:
    """The study's QNN, on the statevector engine."""
    n_qubits = config.qnn_qubits(n_features, n_classes)
    qnn = config.qnn
    circuit = engines.build(engines.EngineConfig(), qnn.ansatz, n_qubits, qnn.n_layers, encoder=qnn.encoder)
    return QNNFit(QuantumClassifier(circuit, n_features, n_classes), qnn, build)

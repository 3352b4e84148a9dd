"""The metrics that a study's score is made of."""

from qsynth.circuits import engine as engines
from qsynth.errors import QsynthError
from qsynth.execution.compilation import Build, eager
from qsynth.metrics.balance import ClassShares
from qsynth.metrics.diversity import EntropyRatio
from qsynth.metrics.fidelity import SlicedWasserstein
from qsynth.metrics.metric import Metric
from qsynth.metrics.utility import QNNUtility
from qsynth.population.trial import TrialConfig
from qsynth.qnn.fit import QNNFit
from qsynth.qnn.model import QuantumClassifier


def build_metrics(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> list[Metric]:
    """Metrics with a weight above 0; balance and utility need at least two classes.

    Args:
        build: makes programs of what is measured often, for one number of trials and rows.

    Raises:
        QsynthError: no metric is left.
    """
    weights = config.score.weights
    metrics: list[Metric] = []
    if weights["fidelity"]:
        metrics.append(SlicedWasserstein(n_features, n_classes))
    if weights["diversity"]:
        metrics.append(EntropyRatio(n_features, n_classes))
    if weights["balance"] and n_classes > 1:
        metrics.append(ClassShares(n_features, n_classes))
    if weights["utility"] and n_classes > 1:
        metrics.append(QNNUtility(build_qnn(config, n_features, n_classes, build)))
    if not metrics:
        raise QsynthError("score must weigh fidelity or diversity on data with one class")
    return metrics


def build_qnn(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> QNNFit:
    """The study's QNN, on the statevector engine."""
    n_qubits = config.qnn_qubits(n_features, n_classes)
    qnn = config.qnn
    circuit = engines.build(engines.EngineConfig(), qnn.ansatz, n_qubits, qnn.n_layers, encoder=qnn.encoder)
    return QNNFit(QuantumClassifier(circuit, n_features, n_classes), qnn, build)

"""The metrics that a study's score is made of, and what measures a population's rows with them."""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.dataset import Instance
from qsynth.execution.compilation import Build, eager
from qsynth.execution.place import brought
from qsynth.metrics.metric import Metric, MetricSetting
from qsynth.metrics.score import UNTRAINED, Scorecard, Scorer
from qsynth.population.calibration import BadRows, Calibration, scattered
from qsynth.population.generation import evaluation_labels, untrained
from qsynth.population.trial import TrialConfig
from qsynth.qnn.fit import QNNFit


class Measures:
    """Measures the rows of a population's lanes, each against its own instance.

    Args:
        engine: of the population's generators.
        build: makes programs of what is measured often, for ``n_lanes`` trials.
    """

    def __init__(
        self,
        config: TrialConfig,
        engine: StatevectorEngine | PennyLaneEngine,
        n_features: int,
        n_classes: int,
        n_lanes: int,
        build: Build,
    ) -> None:
        self.scorer = Scorer(build_metrics(config, n_features, n_classes, build), config.score)
        # Calibration is rare and of any number of trials, so it is not compiled.
        self._calibrated = Scorer(build_metrics(config, n_features, n_classes), config.score)
        n_models = config.score.n_untrained
        bad: BadRows = functools.partial(scattered, n_models=n_models)
        at_once = n_lanes
        if config.score.kind == UNTRAINED:
            # What an untrained generator is worth is the same on every engine, and need not be paid for.
            exact = config.build_generator(config.exact_circuit(engine), n_features, n_classes)
            bad, at_once = functools.partial(untrained, exact, config), max(1, n_lanes // n_models)
        labels = functools.partial(evaluation_labels, n_rows=config.score.n_rows)
        self._calibration = Calibration(self._calibrated, labels, bad, at_once)

    @property
    def names(self) -> list[str]:
        """The metrics that make up the score, in order."""
        return [metric.name for metric in self.scorer.metrics]

    def measure(self, instances: Sequence[Instance], part: str, rows: Tensor, onehot: Tensor) -> Scorecard:
        """Scorecard, in the machine's memory, of ``rows`` (lanes x rows x n_features) against instances' ``part``."""
        card = self.scorer.measure(self._calibration.reference(instances, part), rows, onehot)
        return brought(card)  # type: ignore[no-any-return]

    def measure_reserve(self, instance: Instance, part: str) -> Scorecard:
        """Scorecard of an instance's second real sample, of shape 1: each of its rows once, with its own label."""
        reserve = instance.reserve
        onehot = torch.eye(instance.n_classes)[torch.as_tensor(reserve.y)]
        reference = self._calibration.reference([instance], part)
        return brought(self._calibrated.measure(reference, torch.as_tensor(reserve.x)[None], onehot[None]))  # type: ignore[no-any-return]


def build_metrics(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> list[Metric]:
    """Metrics with a weight above 0; some need at least two classes.

    Args:
        build: makes programs of what is measured often, for one number of trials and rows.

    Raises:
        StudyError: no metric is left.
    """
    make_qnn = functools.partial(build_qnn, config, n_features, n_classes, build)
    setting = MetricSetting(n_features, n_classes, make_qnn)
    return [config.score.metric(name).of(setting) for name in config.score.measured(n_classes)]


def build_qnn(config: TrialConfig, n_features: int, n_classes: int, build: Build = eager) -> QNNFit:
    """The study's QNN, on the statevector engine."""
    return QNNFit.of(config.qnn, config.qnn_qubits(n_features, n_classes), n_features, n_classes, build)

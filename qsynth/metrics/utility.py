"""What synthetic rows are worth to a QNN."""

from typing import Self

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import Metric, MetricSetting, Prepared
from qsynth.qnn.fit import QNNFit


class QNNUtility(Metric):
    """Cross-entropy, on held-out real rows, of a QNN fitted on real + synthetic rows.

    Real and synthetic rows have half the weight each in the fit. Also reports ``qnn_accuracy`` (balanced accuracy).
    """

    name = "utility"
    floor = 0.02
    needs_classes = True

    def __init__(self, qnn: QNNFit) -> None:
        self.qnn = qnn

    @classmethod
    def of(cls, setting: MetricSetting) -> Self:
        """The metric in one study."""
        return cls(setting.make_qnn())

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The real rows to fit on and to evaluate on."""
        eye = torch.eye(instance.n_classes)
        return {
            "x": torch.as_tensor(instance.train.x),
            "onehot": eye[torch.as_tensor(instance.train.y)],
            "x_out": torch.as_tensor(part.x),
            "onehot_out": eye[torch.as_tensor(part.y)],
        }

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Cross-entropy in nats and balanced accuracy, for each trial."""
        flat = self.qnn.fit(
            torch.cat([prepared["x"], x], dim=1),
            torch.cat([prepared["onehot"], onehot], dim=1),
            torch.cat([0.5 * self.weight(sample) for sample in (prepared["onehot"], onehot)], dim=1),
        )
        loss, accuracy = self.qnn.evaluate(flat, prepared["x_out"], prepared["onehot_out"])
        return {self.name: loss, "qnn_accuracy": accuracy}

    def weight(self, onehot: Tensor) -> Tensor:
        """Of each row of a sample in a fit, trials x rows, of sum 1: all the same."""
        return torch.full(onehot.shape[:2], 1 / onehot.shape[1])

"""What synthetic rows are worth to the classifier that they are for: a quantum one."""

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from qsynth.execution.steady import steady
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.qnn.model import balanced
from qsynth.quality.features import Floats
from qsynth.quality.number import UnmeasuredError
from qsynth.quality.samples import Rows
from qsynth.quality.tstr import known

MAX_QUBITS = 8
MAX_INPUTS = 6
MAX_TRAIN, MAX_TEST = 256, 512


def qnn_utility(train: Rows, test: Rows, scale: Rows, n_classes: int) -> float:
    """Balanced accuracy on one sample of a QNN that learns from another, mean over its starts.

    Inputs are the first principal components of ``scale``'s rows, at most six, each over its largest value there.

    Raises:
        UnmeasuredError: more classes than qubits, or nothing to learn from or to test on.
    """
    if not 2 <= n_classes <= MAX_QUBITS:
        raise UnmeasuredError(f"a QNN needs a target of 2 to {MAX_QUBITS} classes; got {n_classes}")
    (x, y), (test_x, test_y) = known(train), known(test)
    if len(np.unique(test_y)) < 2:
        raise UnmeasuredError("the real rows to test on are of one class")
    components = PCA(min(MAX_INPUTS, *scale.inputs.shape), random_state=0).fit(scale.inputs)
    largest = np.abs(components.transform(scale.inputs)).max(axis=0)

    def inputs(values: Floats) -> Tensor:
        scaled = np.clip(components.transform(values) / np.where(largest > 0, largest, 1.0), -1.5, 1.5)
        return torch.as_tensor(scaled, dtype=torch.float32)[None]

    def onehot(labels: Floats) -> Tensor:
        return torch.eye(n_classes)[torch.as_tensor(labels.astype(np.int64))][None]

    n_inputs = len(largest)
    with steady():
        fit = QNNFit.of(QNNConfig(), max(n_inputs, n_classes), n_inputs, n_classes)
        rows, labels = inputs(x[:MAX_TRAIN]), onehot(y[:MAX_TRAIN])
        fitted = fit.fit(rows, labels, balanced(labels))
        return float(fit.evaluate(fitted, inputs(test_x[:MAX_TEST]), onehot(test_y[:MAX_TEST])).accuracy)

"""Rows of GANs under the shipped agent."""

import numpy as np

from qsynth.experiment.regime import FewLabels
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Setting
from qsynth.qnn.fit import QNNConfig, QNNFit
from rl_envs.agent_rows import AgentRows
from tests.qsynth.experiment.made import blobs

LABELS = np.arange(200) % 2


def test_rows_are_those_of_the_classes() -> None:
    tasks = blobs(FewLabels(n_rows=40))
    made = AgentRows().rows(tasks, LABELS, Setting(QNNFit.of(QNNConfig(), 2, 2, 2), 0.5))
    for x, task in zip(made, tasks, strict=True):
        test = task.instance.test
        means = np.stack([test.x[test.y == label].mean(axis=0) for label in (0, 1)])
        nearest = ((x[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest == LABELS).mean() > 0.85
    assert ROW_SYNTHESIZERS["qsynth agent"].name == "qsynth agent"

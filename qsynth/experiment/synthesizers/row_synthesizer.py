"""What a way to make rows for a QNN is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from qsynth.experiment.task import Task
from qsynth.qnn.fit import QNNFit

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Role = Literal["real rows", "augmentation", "yardstick", "gan", "ceiling", "beside"]


@dataclass(frozen=True)
class Setting:
    """What synthesizers may look at besides the rows.

    Attributes:
        qnn: the fit that the rows are for, to choose by on folds of the rows to train on.
        share: of the weight that synthetic rows have in it.
    """

    qnn: QNNFit
    share: float


class RowSynthesizer(Protocol):
    """Makes rows of several tasks at once."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def about(self) -> str:
        """What it does, in words."""
        ...

    @property
    def role(self) -> Role:
        """What it is compared as."""
        ...

    def rows(self, tasks: Sequence[Task], labels: Labels, setting: Setting) -> list[Floats]:
        """Rows (``n x d`` each, in the task's scaled space) of classes ``labels`` (``n``) for each task."""
        ...

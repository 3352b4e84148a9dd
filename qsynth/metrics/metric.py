"""What a metric is, and how its raw value becomes a utility."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, Self

from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.qnn.fit import QNNFit

Prepared = dict[str, Tensor]


class MetricSetting(NamedTuple):
    """What a study's metrics are made of.

    Attributes:
        n_features: d of the generator's scaled space.
        n_classes: how many classes the data has.
        make_qnn: makes the study's QNN, for a metric that fits one.
    """

    n_features: int
    n_classes: int
    make_qnn: Callable[[], QNNFit]


class Metric(Protocol):
    """A number about synthetic rows, measured for all trials at once.

    Raw values are losses: 0 is best. ``floor`` is the least distance between the two anchors of the utility scale, so
    that a metric on which an untrained generator is already good does not turn noise into score.

    Attributes:
        name: what studies call it, and what it is registered under.
        needs_classes: whether it means nothing for data with one class, where it is not measured then.
    """

    name: str
    floor: float
    needs_classes: bool = False

    @classmethod
    def of(cls, setting: MetricSetting) -> Self:
        """The metric in one study."""
        ...

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """What the metric needs of an instance when rows are compared with ``part``; the same shapes for every
        instance of one source."""
        ...

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Raw values, name -> trials, under the metric's own name and perhaps further ones for reports.

        Args:
            prepared: results of :meth:`prepare`, stacked along a leading trials axis.
            x: trials x rows x n_features, in the generator's scaled space.
            onehot: trials x rows x n_classes.
        """
        ...


class Anchors(NamedTuple):
    """Raw values between which a utility runs: of an untrained generator (0), of a second real sample (1)."""

    untrained: Tensor
    real: Tensor


def utility(raw: Tensor, anchors: Anchors, floor: float) -> Tensor:
    """``(untrained - raw) / (untrained - real)``, clipped to [0, 1]; a raw value that is not finite gets 0."""
    gap = (anchors.untrained - anchors.real).clamp(min=floor)
    return (1.0 - (raw - anchors.real) / gap).nan_to_num(0.0, 0.0, 0.0).clamp(0.0, 1.0)

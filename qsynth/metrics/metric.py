"""What a metric is, and how its raw value becomes a utility."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, Self, runtime_checkable

import torch
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

    Raw values are losses. ``floor`` is the least distance between the two anchors of the utility scale, so that a
    metric on which bad rows are already good does not turn noise into score.

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


class OfShape:
    """A metric that needs to know of a study's data how many features and classes there are."""

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_features, self.n_classes = n_features, n_classes

    @classmethod
    def of(cls, setting: MetricSetting) -> Self:
        """The metric in one study."""
        return cls(setting.n_features, setting.n_classes)


class Anchors(NamedTuple):
    """Raw values that fix the utility scale, for each trial, and how much the metric counts there.

    Attributes:
        far: of rows that are bad: what that is, the score's kind says.
        real: of a second real sample.
        weight: factor in [0, 1] of the metric's weight.
    """

    far: Tensor
    real: Tensor
    weight: Tensor


@runtime_checkable
class Anchored(Metric, Protocol):
    """A metric that knows what a second real sample is worth, and what is worth half of it.

    Attributes:
        abstains: whether its weight may be less than 1; reports have it as ``NAME_weight``.
    """

    abstains: bool = False

    def anchors(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> Anchors:
        """Anchors of the scale on which ``far`` is worth a half.

        Args:
            prepared: as :meth:`measure` takes it.
            x, onehot: rows and labels of second real samples, trials x rows x ...
        """
        ...


class UnbiasedMetric(Anchored, Protocol):
    """A metric that is 0 on average over second real samples, however many rows they have.

    Attributes:
        half: the value that is worth a half.
    """

    floor: float = 0.0
    half: float

    def anchors(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> Anchors:
        """0 and ``half``."""
        zeros = torch.zeros(len(x))
        return Anchors(far=zeros + self.half, real=zeros, weight=zeros + 1.0)


def utility(raw: Tensor, anchors: Anchors, floor: float) -> Tensor:
    """``(far - raw) / (far - real)``, clipped to [0, 1]; a raw value that is not finite gets 0."""
    gap = (anchors.far - anchors.real).clamp(min=floor)
    return (1.0 - (raw - anchors.real) / gap).nan_to_num(0.0, 0.0, 0.0).clamp(0.0, 1.0)


def open_utility(raw: Tensor, anchors: Anchors, floor: float) -> Tensor:
    """1 at ``real``, a half at ``far``, linear between them and beyond ``real``, so that chance evens out; below a half
    inversely proportional to the distance from ``real``.

    It has no ceiling before 2, and a raw value that is not finite gets 0.
    """
    distance = 0.5 * (raw - anchors.real) / (anchors.far - anchors.real).clamp(min=floor)
    near = 1.0 - distance.clamp(min=-1.0, max=0.5)
    value = torch.where(distance <= 0.5, near, 0.25 / distance.clamp(min=0.5))
    return torch.where(torch.isfinite(raw), value, 0.0)

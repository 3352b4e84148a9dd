"""All metrics by the names that studies give them."""

from qsynth.metrics.balance import ClassShares
from qsynth.metrics.diversity import EntropyRatio
from qsynth.metrics.fidelity import SlicedWasserstein
from qsynth.metrics.metric import Metric
from qsynth.metrics.utility import QNNUtility
from qsynth.registry import Registry

METRICS: Registry[type[Metric]] = Registry("metric", own_name=lambda metric: metric.name)
METRICS.register("fidelity")(SlicedWasserstein)
METRICS.register("diversity")(EntropyRatio)
METRICS.register("balance")(ClassShares)
METRICS.register("utility")(QNNUtility)

"""All metrics by the names that studies give them."""

from qsynth.metrics.balance import ClassShares
from qsynth.metrics.diversity import EntropyRatio
from qsynth.metrics.energy import EnergyDistance
from qsynth.metrics.fidelity import SlicedWasserstein
from qsynth.metrics.gain import QNNGain
from qsynth.metrics.likeness import LocalDiscrepancy
from qsynth.metrics.metric import Metric
from qsynth.metrics.novelty import Memorisation
from qsynth.metrics.shares import ShareDistance
from qsynth.metrics.utility import QNNUtility
from qsynth.registry import Registry

METRICS: Registry[type[Metric]] = Registry("metric", own_name=lambda metric: metric.name)
METRICS.register("fidelity")(EnergyDistance)
METRICS.register("diversity")(LocalDiscrepancy)
METRICS.register("balance")(ShareDistance)
METRICS.register("utility")(QNNGain)
METRICS.register("novelty")(Memorisation)

# What the words stood for while an untrained generator was the score's 0.
FORMER_METRICS: dict[str, type[Metric]] = {
    "fidelity": SlicedWasserstein,
    "diversity": EntropyRatio,
    "balance": ClassShares,
    "utility": QNNUtility,
}

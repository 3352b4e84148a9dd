"""The training rows once more."""

from qsynth.data.dataset import Instance
from qsynth.yardsticks.dealt import Dealt
from qsynth.yardsticks.yardstick import ByClass, class_rows


class Duplication:
    """Training rows, each as often as any other of its class."""

    name = "duplication"
    about = "training rows, drawn again"
    ceiling = False

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Keep the training rows."""
        return ByClass.of(instance, lambda label: Dealt(class_rows(instance.train, label)))

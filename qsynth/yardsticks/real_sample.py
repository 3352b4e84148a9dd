"""What can be hoped for: further real rows."""

from qsynth.data.dataset import Instance
from qsynth.yardsticks.dealt import Dealt
from qsynth.yardsticks.yardstick import ByClass, class_rows


class RealSample:
    """Real rows that nobody else learns from, drawn without replacement as far as they go; training rows for a class
    that has none among them."""

    name = "second real sample"
    about = "real rows that nobody else has: what can be hoped for"
    ceiling = True

    def fit(self, instance: Instance, seed: int) -> ByClass:
        """Keep the reserve."""

        def law(label: int) -> Dealt:
            part = instance.reserve if (instance.reserve.y == label).any() else instance.train
            return Dealt(class_rows(part, label))

        return ByClass.of(instance, law)

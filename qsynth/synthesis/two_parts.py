"""A table's rows as an instance: those to learn from, and those kept back, which stand for every other part."""

from qsynth.data.dataset import Instance, Split
from qsynth.data.scaling import Scaling


def two_part_instance(learned: Split, held: Split, class_names: tuple[str, ...], scaling: Scaling) -> Instance:
    """An instance whose reserve, validation and test rows are the same."""
    return Instance(
        key="table",
        train=learned,
        reserve=held,
        validation=held,
        test=held,
        class_names=class_names,
        feature_names=tuple(f"feature_{index}" for index in range(learned.x.shape[1])),
        scaling=scaling,
    )

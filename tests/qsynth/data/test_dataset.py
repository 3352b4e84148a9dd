import numpy as np
import pytest

from qsynth.data.dataset import Instance, Split, instance_key, instance_stream
from qsynth.data.scaling import Scaling
from qsynth.errors import QsynthError


def split(y: list[int]) -> Split:
    return Split(np.zeros((len(y), 2), dtype=np.float32), np.array(y, dtype=np.int64))


def test_shares_are_those_of_the_training_rows() -> None:
    parts = {"train": split([0, 0, 0, 2]), "reserve": split([1]), "validation": split([1]), "test": split([1])}
    instance = Instance(
        key="x#0", **parts, class_names=("a", "b", "c"), feature_names=("u", "v"), scaling=Scaling.identity(2)
    )
    assert instance.class_shares.tolist() == [0.75, 0.0, 0.25]
    assert instance.class_shares.dtype == np.float64
    assert (instance.n_classes, instance.n_features, len(instance.train)) == (3, 2, 4)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros(3, np.float32), np.zeros(3, np.int64)),
        (np.zeros((3, 1), np.float32), np.zeros(2, np.int64)),
        (np.zeros((3, 1), np.float64), np.zeros(3, np.int64)),
        (np.zeros((3, 1), np.float32), np.zeros(3, np.int32)),
    ],
)
def test_a_split_holds_float32_rows_and_int64_classes(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(QsynthError, match="a split must have"):
        Split(x, y)


def test_streams_differ_by_seed_side_and_use() -> None:
    firsts = {
        instance_stream(seed, held_out, use).integers(2**63)
        for seed in range(50)
        for held_out in (False, True)
        for use in range(5)
    }
    assert len(firsts) == 50 * 2 * 5
    with pytest.raises(QsynthError, match="at least 0; got -1"):
        instance_stream(-1, False, 0)


def test_keys_say_which_side() -> None:
    assert instance_key("iris", 3, held_out=False) == "iris#3"
    assert instance_key("iris", 3, held_out=True) == "iris#held-3"

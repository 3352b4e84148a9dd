"""What a trial learns: four parts of one data set, and how they were scaled."""

from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from qsynth.data.scaling import Scaling
from qsynth.errors import DataError, StudyError


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of one part of a data set.

    Attributes:
        x: ``n x d`` float32, in the scaled space of the generator.
        y: ``n`` int64, the class of each row as an index into ``Instance.class_names``.

    Raises:
        QsynthError: shapes or dtypes differ from the above.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.y.shape != self.x.shape[:1]:
            raise DataError(f"a split must have x (n x d) and y (n); got {self.x.shape} and {self.y.shape}")
        if self.x.dtype != np.float32 or self.y.dtype != np.int64:
            raise DataError(f"a split must have float32 x and int64 y; got {self.x.dtype} and {self.y.dtype}")

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False, kw_only=True)
class Instance:
    """One learning problem: a data set, split by one seed.

    Attributes:
        key: unique name, e.g. ``breast_cancer#3``, or ``breast_cancer#held-3`` when held out from the agent's training.
        train: what the GAN and the QNN learn from.
        reserve: a second real sample, as large as ``train``; it calibrates metrics and nothing learns from it.
        validation: what metrics compare with while a trial runs, and what selects.
        test: touched by final reports only; the same rows in every instance of a table.
        class_names: one entry means that the data are unlabelled.
        feature_names: names of the original columns, before scaling.
        scaling: the one map between original and scaled rows.
        image_shape: height and width of a row in original units whose columns are pixels, line by line; else None.
    """

    key: str
    train: Split
    reserve: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    scaling: Scaling
    image_shape: tuple[int, int] | None = None

    @property
    def n_features(self) -> int:
        """d of the scaled space."""
        return self.scaling.n_features

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    @property
    def class_shares(self) -> NDArray[np.float64]:
        """``n_classes`` float64: each class's share of the training rows; they sum to one."""
        return np.bincount(self.train.y, minlength=self.n_classes) / len(self.train)


def instance_key(source: str, seed: int, held_out: bool) -> str:
    """``source#seed`` or ``source#held-seed``."""
    return f"{source}#held-{seed}" if held_out else f"{source}#{seed}"


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number of which the logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def instance_stream(seed: int, held_out: bool, use: int) -> np.random.Generator:
    """The random numbers of one instance for one ``use``; all (seed, held_out, use) give disjoint streams.

    Raises:
        QsynthError: a negative seed.
    """
    if not isinstance(seed, SupportsIndex) or seed < 0:
        raise StudyError(f"an instance's seed must be at least 0; got {seed!r}")
    return np.random.default_rng(np.random.SeedSequence(entropy=0, spawn_key=(int(held_out), seed, use)))

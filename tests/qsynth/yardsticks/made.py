"""Instances with given training rows."""

import numpy as np

from qsynth.data.dataset import Instance, Split
from qsynth.data.scaling import Scaling


def split(x: object, y: object) -> Split:
    return Split(np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.int64))


def instance(train: Split, validation: Split | None = None, reserve: Split | None = None) -> Instance:
    """Its other parts are the training rows where they are not given."""
    n_classes = max(1, int(train.y.max()) + 1)
    return Instance(
        key="made#0",
        train=train,
        reserve=reserve or train,
        validation=validation or train,
        test=train,
        class_names=tuple(f"class {number}" for number in range(n_classes)),
        feature_names=tuple(f"x{number}" for number in range(train.x.shape[1])),
        scaling=Scaling.fit(train.x.astype(float), train.x.shape[1]),
    )


def normal_rows(seed: int, n: int = 400, shift: float = 1.0) -> Split:
    """Two classes about +-shift in both columns; in a class they are correlated by 0.8, in the second by -0.8."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 2
    correlation = np.where(y == 0, 0.8, -0.8)
    first, second = random.normal(size=(2, n))
    other = correlation * first + np.sqrt(1 - correlation**2) * second
    return split(0.3 * np.stack([first, other], axis=1) + np.where(y == 0, -shift, shift)[:, None], y)

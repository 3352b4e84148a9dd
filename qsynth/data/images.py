"""Small images as families of instances."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from sklearn.datasets import load_digits

from qsynth.data.scaling import Scaling
from qsynth.data.table import Table
from qsynth.data.tabular import PartitionedTable

BLACK, WHITE = 0.0, 16.0
FULL_SIZE: Final = 8

Digit = Annotated[int, Field(ge=0, le=9)]


class DigitImages(PartitionedTable):
    """Handwritten digits of 8 x 8 pixels, 0 to 16 [Alpaydin & Kaynak 1998], 174 to 183 images of each; with
    scikit-learn, 1,797 in all.

    A row is an image, line by line. Without principal components every pixel has the same scale, from -0.9 for 0 to 0.9
    for 16, so that a row in the scaled space is an image too, and pixels that the training images leave black are
    outputs like all others.

    Attributes:
        classes: which digits, in this order.
        size: height and width; 4 averages squares of 2 x 2 pixels.
    """

    kind: Literal["digits"] = "digits"
    classes: Annotated[tuple[Digit, ...], Field(min_length=1)] = tuple(range(10))
    size: Literal[4, 8] = FULL_SIZE
    n_features: Annotated[int, Field(ge=1, le=FULL_SIZE**2)] | None = None

    @field_validator("classes")
    @classmethod
    def _are_different(cls, classes: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError(f"must name every digit once; got {list(classes)}")
        return classes

    @property
    def title(self) -> str:
        chosen = "" if self.classes == tuple(range(10)) else "-" + "".join(map(str, self.classes))
        return f"digits{chosen}" if self.size == FULL_SIZE else f"digits{chosen}-{self.size}x{self.size}"

    @property
    def image_shape(self) -> tuple[int, int]:
        return self.size, self.size

    def table(self) -> Table:
        return _digits(self.classes, self.size)

    def scaling(self, table: Table, rows: NDArray[np.float64]) -> Scaling:
        if self.width < rows.shape[1]:
            return Scaling.fit(rows, self.width, standardised=False)
        return Scaling.between(BLACK, WHITE, self.width)


@lru_cache(maxsize=8)
def _digits(classes: Sequence[int], size: int) -> Table:
    bunch = load_digits()
    chosen = np.isin(bunch.target, classes)
    x = pooled(np.asarray(bunch.data, dtype=np.float64)[chosen].reshape(-1, FULL_SIZE, FULL_SIZE), size)
    place = {digit: index for index, digit in enumerate(classes)}
    y = np.array([place[int(digit)] for digit in bunch.target[chosen]], dtype=np.int64)
    names = tuple(f"pixel_{row}_{column}" for row in range(size) for column in range(size))
    return Table(x=x.reshape(len(x), -1), y=y, feature_names=names, class_names=tuple(map(str, classes)))


def pooled(images: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Square images (``n x height x width``) as means of squares, ``n x size x size``; ``size`` divides the height."""
    n, height, _ = images.shape
    block = height // size
    means: NDArray[np.float64] = images.reshape(n, size, block, size, block).mean(axis=(2, 4))
    return means

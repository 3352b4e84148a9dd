"""How few real rows a QNN has, and of which classes."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.config import Config, Kinds
from qsynth.errors import DataError

FEWEST_OF_A_CLASS = 2  # one for each fold

Counts = NDArray[np.int64]


class Regime(Config):
    """Numbers of real rows.

    Attributes:
        n_unlabelled: further real rows without labels, which principal components and scaling learn from too.
    """

    n_unlabelled: int = Field(0, ge=0, le=10_000)

    @property
    @abstractmethod
    def title(self) -> str:
        """What reports call it."""

    @property
    @abstractmethod
    def is_imbalanced(self) -> bool:
        """Whether one class has fewer rows than its share."""

    @abstractmethod
    def counts(self, available: Counts, seed: int) -> tuple[Counts, Counts]:
        """Rows of each class (``n_classes``) to train on, and those that an oracle has besides.

        Args:
            available: rows of each class that are not for testing.

        Raises:
            DataError: there are too few.
        """


class FewLabels(Regime):
    """``n_rows`` rows in the classes' own shares; the oracle has up to ``n_more`` more."""

    kind: Literal["few_labels"] = "few_labels"
    n_rows: int = Field(ge=4, le=10_000)
    n_more: int = Field(200, ge=1, le=10_000)

    @property
    def title(self) -> str:
        return f"{self.n_rows} rows" + (f", {self.n_unlabelled} unlabelled" if self.n_unlabelled else "")

    @property
    def is_imbalanced(self) -> bool:
        return False

    def counts(self, available: Counts, seed: int) -> tuple[Counts, Counts]:
        shares = available / available.sum()
        train = _whole(shares * self.n_rows).clip(min=FEWEST_OF_A_CLASS)
        left = available - train
        if (left < 1).any():
            raise DataError(f"a table must have more rows to train on than {self.n_rows}; got {available.sum()}")
        return train, np.minimum(_whole(shares * self.n_more), left).clip(min=1)


class Imbalance(Regime):
    """``n_majority`` rows of every class but one, which has one for every ``ratio`` of them.

    Which class that is, the seed says. The oracle has as many rows of it as of the others.
    """

    kind: Literal["imbalance"] = "imbalance"
    ratio: int = Field(ge=2, le=1000)
    n_majority: int = Field(40, ge=4, le=10_000)

    @property
    def title(self) -> str:
        return f"1:{self.ratio}" + (f", {self.n_unlabelled} unlabelled" if self.n_unlabelled else "")

    @property
    def is_imbalanced(self) -> bool:
        return True

    def counts(self, available: Counts, seed: int) -> tuple[Counts, Counts]:
        train = np.full(len(available), self.n_majority)
        minority = seed % len(available)
        train[minority] = max(FEWEST_OF_A_CLASS, round(self.n_majority / self.ratio))
        if (available < self.n_majority).any():
            raise DataError(f"every class must have {self.n_majority} rows to train on; got {available.min()} of one")
        more = np.zeros_like(train)
        more[minority] = self.n_majority - train[minority]
        return train, more


def _whole(numbers: NDArray[np.float64]) -> Counts:
    """The nearest whole numbers, of which none is less than one."""
    return np.rint(numbers).astype(np.int64).clip(min=1)


REGIMES: Kinds[Regime] = Kinds("regime")
REGIMES.register("few_labels")(FewLabels)
REGIMES.register("imbalance")(Imbalance)

AnyRegime = Annotated[Regime, REGIMES]

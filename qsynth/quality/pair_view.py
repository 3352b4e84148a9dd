"""Two columns, and how strongly they go together on each side."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from qsynth.quality.features import Floats

MAX_PAIRS = 20


@dataclass(frozen=True)
class PairView:
    """Strengths in real and in synthetic rows (see :func:`qsynth.quality.associations.associations`)."""

    first: str
    second: str
    real: float
    synthetic: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def differing_pairs(names: Sequence[str], real: Floats, synthetic: Floats) -> tuple[PairView, ...]:
    """The pairs that differ most, at most 20, the worst first."""
    rows, columns = np.tril_indices(len(names), -1)
    order = np.argsort(-np.abs(real - synthetic)[rows, columns], kind="stable")[:MAX_PAIRS]
    return tuple(
        PairView(
            names[columns[at]], names[rows[at]], *(float(each[rows[at], columns[at]]) for each in (real, synthetic))
        )
        for at in order
    )

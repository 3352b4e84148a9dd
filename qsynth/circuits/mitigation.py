"""Zero-noise extrapolation: the same circuit at several strengths of the noise."""

from typing import Any, Literal, Self

import numpy as np
import pennylane as qp
from pydantic import model_validator

from qsynth.config import Config

ORDERS = {"linear": 1, "quadratic": 2}


class ZeroNoiseConfig(Config):
    """Temme, Bravyi and Gambetta, "Error mitigation for short-depth quantum circuits", PRL 119, 180509 (2017).

    Attributes:
        scales: how much longer than the circuit U its folded forms U (U+ U)^k are, 2k + 1; folding a part of the gates,
            for numbers in between, would not scale the noise of short circuits evenly.
        fit: polynomial through the expectation values, whose value at scale 0 is taken.
    """

    scales: tuple[int, ...] = (1, 3, 5)
    fit: Literal["linear", "quadratic"] = "linear"

    @model_validator(mode="after")
    def _enough(self) -> Self:
        needed = ORDERS[self.fit] + 1
        if len(set(self.scales)) < needed or any(scale < 1 or scale % 2 == 0 for scale in self.scales):
            raise ValueError(
                f"zero_noise.scales must be at least {needed} different odd numbers; got {list(self.scales)}"
            )
        return self

    @property
    def weights(self) -> np.ndarray:
        """Of the scales' expectation values in the least-squares polynomial's value at 0."""
        return np.asarray(np.linalg.pinv(np.vander(self.scales, ORDERS[self.fit] + 1, increasing=True))[0])

    def folded(self, tape: Any) -> list[Any]:
        """The circuit at every scale (``qp.noise.fold_global``)."""
        return [tape if scale == 1 else qp.noise.fold_global(tape, scale)[0][0] for scale in self.scales]

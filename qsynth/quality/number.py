"""One number of a report, and what stands in its place where it can't be had."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qsynth.errors import DataError
from qsynth.quality.estimate import Estimate


class UnmeasuredError(DataError):
    """The rows do not allow a number; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """What was measured of synthetic rows, with what to compare it to.

    Attributes:
        key: its name in JSON.
        value: of the synthetic rows; None: can't be had, for ``reason``.
        reference: the same of real rows in their place; None: can't be had.
        interval: 95 %, of the value; None: none that is honest.
        meaning: one sentence for people.
        beside: the same of each yardstick's rows.
    """

    key: str
    title: str
    value: float | None
    reference: float | None
    meaning: str
    reason: str = ""
    interval: tuple[float, float] | None = None
    beside: Mapping[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the key."""
        return {
            "title": self.title,
            "value": self.value,
            "interval": self.interval,
            "reference": self.reference,
            "beside": dict(self.beside),
            "meaning": self.meaning,
            "reason": self.reason,
        }


def attempt(measure: Callable[[], float | Estimate]) -> tuple[Estimate | None, str]:
    """A number, or None and why there is none; libraries' warnings about odd rows are not shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = measure()
    except (ValueError, ArithmeticError) as error:
        return None, " ".join(str(error).split())
    estimate = found if isinstance(found, Estimate) else Estimate(float(found))
    return (estimate, "") if math.isfinite(estimate.value) else (None, "it is not a finite number for these rows")

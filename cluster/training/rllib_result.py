"""What RLlib says of an iteration: any number may be missing, or not be one, when populations have died."""

import math
from collections.abc import Mapping
from typing import Any


class RLlibResult:
    """Numbers of a result of ``Algorithm.train()``, each found by the path of keys that leads to it."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self._result = result

    def value(self, *path: str) -> float:
        """A number; not-a-number where there is none."""
        return _number(self._at(path))

    def count(self, *path: str, otherwise: int = 0) -> int:
        """A whole number; ``otherwise`` where there is none."""
        found = self.value(*path)
        return int(found) if math.isfinite(found) else otherwise

    def values(self, *path: str) -> dict[str, float]:
        """The finite numbers below a path, name -> number."""
        found = self._at(path)
        numbers = {name: _number(each) for name, each in found.items()} if isinstance(found, Mapping) else {}
        return {name: number for name, number in numbers.items() if math.isfinite(number)}

    def _at(self, path: tuple[str, ...]) -> Any:
        found: Any = self._result
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

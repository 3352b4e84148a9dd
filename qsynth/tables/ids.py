"""Columns whose values only tell rows apart: made anew in the same pattern, never learned."""

import re
import uuid
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, StrictInt, StrictStr, model_validator

from qsynth.errors import DataError
from qsynth.tables.column import BaseColumn, Numbers, common
from qsynth.tables.dtypes import dtype_of, is_text, restored

_NUMBERED = re.compile(r"(\D*)(\d{1,15})(\D*)")
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_CLASSES = (
    "0123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789abcdef",
    "0123456789ABCDEF",
)
_LONGEST = 48
_ROUNDS = 20
_LARGEST = 2**64 - 1


class IdColumn(BaseColumn):
    """Names or numbers of rows.

    Attributes:
        style: ``running`` numbers, numbers ``within`` a range, ``uuid``, ``pattern`` of characters.
        low, high: of the numbers.
        prefix, suffix, width: what stands around numbers in text, and the digits to which they are filled with zeros.
        pattern: for each place the characters that may stand there.
        text: whether the values are text.
    """

    kind: Literal["id"] = "id"
    style: Literal["running", "within", "uuid", "pattern"]
    low: StrictInt = Field(0, ge=-_LARGEST, le=_LARGEST)
    high: StrictInt = Field(0, ge=-_LARGEST, le=_LARGEST)
    prefix: str = ""
    suffix: str = ""
    width: int = Field(0, ge=0, le=_LONGEST)
    pattern: tuple[StrictStr, ...] = Field((), max_length=_LONGEST)
    text: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise DataError(f"column {self.name!r}: low must be at most high; got {self.low} and {self.high}")
        if "" in self.pattern:
            raise DataError(f"column {self.name!r}: every place of the pattern must have characters")
        return self

    @classmethod
    def learned(cls, series: pd.Series) -> Self:
        """From values of which at least one is not missing."""
        present = series.dropna()
        shared = common(series)
        if not isinstance(present.iloc[0], str):
            numbers = sorted({int(value) for value in present.tolist()})
            return cls(**shared, style=_run(numbers), low=numbers[0], high=numbers[-1])
        texts = present.unique().tolist()
        if all(_UUID.fullmatch(value) for value in texts):
            return cls(**shared, style="uuid", pattern=_pattern(texts), text=True)
        parts = [_NUMBERED.fullmatch(value) for value in texts]
        matches = [match for match in parts if match]
        if len(matches) == len(texts) and len({(match[1], match[3]) for match in matches}) == 1:
            numbers = sorted(int(match[2]) for match in matches)
            width = len(matches[0][2]) if len({len(match[2]) for match in matches}) == 1 else 0
            return cls(
                **shared,
                style=_run(numbers),
                low=numbers[0],
                high=numbers[-1],
                prefix=matches[0][1],
                suffix=matches[0][3],
                width=width,
                text=True,
            )
        if len({len(value) for value in texts}) == 1 and len(texts[0]) <= _LONGEST and not any(" " in v for v in texts):
            return cls(**shared, style="pattern", pattern=_pattern(texts), text=True)
        return cls(**shared, style="running", low=1, high=max(1, len(texts)), prefix=f"{series.name} ", text=True)

    @property
    def modelled(self) -> bool:
        return False

    @property
    def shown(self) -> str:
        if self.style in ("uuid", "pattern"):
            return "names made anew in the same pattern"
        low, high = (self._texts([value])[0] if self.text else str(value) for value in (self.low, self.high))
        return f"numbers like {low} to {high}, made anew"

    def make(self, n: int, rng: np.random.Generator) -> pd.Series:
        """n new values, different as far as the pattern allows, missing at their rate."""
        absent = rng.random(n) < self.missing
        if self.style == "uuid":
            values: list[Any] = self._uuids(n, rng)
        elif self.style == "pattern":
            values = _different(n, lambda count: self._drawn(count, rng))
        else:
            numbers = self._numbers(n, rng)
            values = self._texts(numbers) if self.text else numbers
        return self._series(values, absent)

    def _numbers(self, n: int, rng: np.random.Generator) -> list[int]:
        """A run goes on after its highest; numbers of a wide range are drawn from it.

        What the dtype can't hold any more begins with the lowest again.
        """
        if self.style == "within" and self.high - self.low >= 2 * n:
            span = self.high - self.low + 1
            return _different(
                n, lambda count: [self.low + int(step) for step in rng.integers(0, span, count, np.uint64)]
            )
        first = self.high + 1
        if first + n - 1 > self._largest():
            first = self.low
        return list(range(first, first + n))

    def _largest(self) -> int:
        """What the dtype can hold."""
        dtype = dtype_of(self.dtype)
        plain = getattr(dtype, "numpy_dtype", dtype)
        integer = isinstance(plain, np.dtype) and plain.kind in "iu"
        return int(np.iinfo(plain).max) if integer else 10**15

    def _texts(self, numbers: list[int]) -> list[str]:
        return [f"{self.prefix}{number:0{self.width}d}{self.suffix}" for number in numbers]

    def _drawn(self, n: int, rng: np.random.Generator) -> list[str]:
        places = [[characters[i] for i in rng.integers(0, len(characters), n)] for characters in self.pattern]
        return ["".join(letters) for letters in zip(*places, strict=True)] if places else [""] * n

    def _uuids(self, n: int, rng: np.random.Generator) -> list[str]:
        made = [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]
        dashed = [text if len(self.pattern) == len(text) else text.replace("-", "") for text in made]
        return [text.upper() for text in dashed] if "A" in "".join(self.pattern) else dashed

    def _series(self, values: list[Any], absent: Any) -> pd.Series:
        if self.dtype == "category":
            return pd.Series(pd.Categorical(values), name=self.name).mask(absent)
        dtype = dtype_of(self.dtype)
        plain: Any = values if dtype == np.dtype(object) or is_text(dtype) else pd.Series(values, dtype=object)
        return restored(plain, absent, self.dtype, self.missing_as, self.name)

    def _extremes(self) -> Numbers:
        return np.zeros(1)

    def _to_numbers(self, series: pd.Series) -> Numbers:
        return np.arange(len(series), dtype=np.float64)

    def _from_numbers(self, numbers: Numbers) -> Any:
        return self.make(len(numbers), np.random.default_rng(0))

    def decode(self, numbers: Numbers) -> pd.Series:
        return self.make(len(numbers), np.random.default_rng(0))

    def check(self, series: pd.Series) -> None:
        if str(series.dtype) != self.dtype and dtype_of(self.dtype) != series.dtype:
            raise DataError(f"column {self.name!r} must be of dtype {self.dtype}; got {series.dtype}")


def _run(numbers: list[int]) -> Literal["running", "within"]:
    return "running" if numbers[-1] - numbers[0] == len(numbers) - 1 else "within"


def _pattern(texts: list[str]) -> tuple[str, ...]:
    """For each place the smallest known class of characters that all texts have there, or those that they have."""
    pattern = []
    for place in zip(*texts, strict=True):
        found = set(place)
        known = next((each for each in _CLASSES if found <= set(each)), "".join(sorted(found)))
        pattern.append(known if len(found) > 1 else place[0])
    return tuple(pattern)


def _different(n: int, draw: Any) -> list[Any]:
    """n drawn values, each once if that can be had in a few rounds."""
    found: dict[Any, None] = {}
    for _ in range(_ROUNDS):
        found.update(dict.fromkeys(draw(n - len(found))))
        if len(found) == n:
            return list(found)
    return [*found, *draw(n - len(found))]

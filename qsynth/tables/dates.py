"""Columns of dates, times and durations: counted in the largest unit that all of them are multiples of."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import pyarrow  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pydantic import Field, StrictInt

from qsynth.tables.column import BaseColumn, Numbers, common
from qsynth.tables.date_text import as_moments, as_text
from qsynth.tables.dtypes import dtype_of, is_text

Form = Literal["moment", "local", "duration", "period", "day", "text"]
# Unit -> nanoseconds.
UNITS = {
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_LARGEST_COUNT = 2**62


class DateColumn(BaseColumn):
    """Moments, days, periods or durations.

    Attributes:
        form: how the table holds them: moments (``local``: those of a time zone, counted on its clocks), durations,
            periods, Python's days, or text.
        unit: what they are counted in.
        origin: the earliest, in units since 1970.
        span: the latest, in units since the earliest.
        format: of text, as strftime has it; empty for others.
        padded: whether text has zeros before days, months and hours of one digit.
    """

    kind: Literal["date"] = "date"
    form: Form
    unit: Literal["D", "h", "min", "s", "ms", "us", "ns"]
    origin: StrictInt = Field(ge=-_LARGEST_COUNT, le=_LARGEST_COUNT)
    span: StrictInt = Field(ge=0, le=_LARGEST_COUNT)
    format: str = Field("", max_length=40)
    padded: bool = True

    @classmethod
    def learned(cls, series: pd.Series, *, format: str = "", padded: bool = True) -> Self:
        """From values of which at least one is not missing."""
        present, form = series.dropna(), _form(series)
        ticks, ns_per_tick = _ticks(_moments(present, form, format))
        unit = next(unit for unit, ns in UNITS.items() if ns >= ns_per_tick and not (ticks % (ns // ns_per_tick)).any())
        counts = ticks // (UNITS[unit] // ns_per_tick)
        origin, span = int(counts.min()), int(counts.max()) - int(counts.min())
        return cls(**common(series), form=form, unit=unit, origin=origin, span=span, format=format, padded=padded)

    @property
    def shown(self) -> str:
        try:
            ends = self.decode(self._extremes())
            return f"dates in {ends.iloc[0]} to {ends.iloc[1]}"
        except (ValueError, OverflowError):
            return "dates"

    def _extremes(self) -> Numbers:
        return np.array([0.0, float(self.span)])

    def _to_numbers(self, series: pd.Series) -> Numbers:
        ticks, ns_per_tick = _ticks(_moments(series, self.form, self.format))
        per_unit = UNITS[self.unit] / ns_per_tick
        if per_unit >= 1:
            whole, rest = np.divmod(ticks, int(per_unit))
            return (whole - self.origin).astype(np.float64) + rest / per_unit
        return (ticks - round(self.origin * per_unit)).astype(np.float64) / per_unit

    def _from_numbers(self, numbers: Numbers) -> Any:
        counts = self.origin + np.clip(np.rint(numbers), 0, self.span).astype(np.int64)
        if self.unit == "ns":
            ticks, resolution = counts, "ns"
        else:
            per_unit = UNITS[self.unit] // UNITS["us"]
            if len(counts) and int(np.abs(counts).max()) * per_unit > _LARGEST_COUNT:
                raise ValueError("beyond the years that microseconds can count")
            ticks, resolution = counts * per_unit, "us"
        moments = pd.Series(ticks.view(f"{'timedelta64' if self.form == 'duration' else 'datetime64'}[{resolution}]"))
        return self._formed(moments)

    def _formed(self, moments: pd.Series) -> Any:
        """Naive moments or durations in the table's form."""
        if self.form == "text":
            return as_text(moments, self.format, padded=self.padded)
        if self.form == "period":
            return moments.dt.to_period(dtype_of(self.dtype).freq)
        if self.form == "day":
            days = moments.dt.date
            return days.tolist() if self.dtype == "object" else pyarrow.array(days.tolist())
        if self.dtype == "object":
            objects = np.empty(len(moments), dtype=object)
            objects[:] = moments.tolist()
            return objects
        zone = _zone(dtype_of(self.dtype))
        if zone is None:
            return moments
        if self.form == "local":
            first = np.ones(len(moments), dtype=bool)
            return moments.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
        return moments.dt.tz_localize("UTC").dt.tz_convert(zone)


def _form(series: pd.Series) -> Form:
    dtype, present = series.dtype, series.dropna()
    if is_text(dtype) or isinstance(present.iloc[0], str):
        return "text"
    if isinstance(dtype, pd.PeriodDtype):
        return "period"
    if isinstance(dtype, pd.ArrowDtype) and pyarrow.types.is_date(dtype.pyarrow_dtype):
        return "day"
    if dtype == np.dtype(object):
        kind = pd.api.types.infer_dtype(present, skipna=True)
        return "day" if kind == "date" else "duration" if kind.startswith("timedelta") else "moment"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "duration"
    zone = _zone(dtype)
    if zone is None:
        return "moment"
    local = _naive(present).dt.tz_localize(None)
    first = np.ones(len(local), dtype=bool)
    back = local.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return "local" if bool((back == _naive(present)).all()) else "moment"


def _zone(dtype: Any) -> Any:
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)


def _naive(series: pd.Series) -> pd.Series:
    """Moments of pyarrow as those of pandas."""
    if not isinstance(series.dtype, pd.ArrowDtype):
        return series
    return pd.Series(pd.to_datetime(series.to_numpy(dtype=object)), index=series.index)


def _moments(series: pd.Series, form: Form, format: str) -> pd.Series:
    """Present values of any form as naive moments or durations of pandas."""
    if form == "text":
        return as_moments(series, format)
    if isinstance(series.dtype, pd.PeriodDtype):
        return pd.Series(series.dt.to_timestamp())
    if form == "duration":
        return pd.Series(pd.to_timedelta(series.to_numpy(dtype=object) if series.dtype == object else series))
    if form == "day" or series.dtype == object or is_text(series.dtype):
        return pd.Series(pd.to_datetime(series.astype(object).tolist()))
    moments = _naive(series)
    if _zone(moments.dtype) is None:
        return moments
    return pd.Series((moments if form == "local" else moments.dt.tz_convert("UTC")).dt.tz_localize(None))


def _ticks(moments: pd.Series) -> tuple[NDArray[np.int64], int]:
    """Counts since 1970, or of a duration, and how many nanoseconds each stands for."""
    values = moments.to_numpy()
    if values.dtype.kind not in "mM":
        raise TypeError("no moments")
    kind = "datetime64" if values.dtype.kind == "M" else "timedelta64"
    if np.datetime_data(values.dtype)[0] == "ns" and (values.view(np.int64) % 1_000).any():
        return values.view(np.int64), 1
    return values.astype(f"{kind}[us]").view(np.int64), 1_000

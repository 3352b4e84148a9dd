"""Dates and times as text: which format it has, and back."""

import re

import pandas as pd

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %Y",
    "%B %Y",
    "%Y-%m",
    "%Y/%m",
    "%H:%M:%S",
    "%H:%M",
)
_LIKE_A_DATE = re.compile(r"(?=.*\d)[\w ,./:-]{4,32}$")
_ZERO = re.compile(r"(?<![\d.:])0(?=\d)")
_PROBE = 50


def date_format(text: pd.Series) -> tuple[str, bool] | None:
    """The format that gives each of some texts back from the moment that it stands for, and whether it pads with zeros.

    None when there is no such format. Where both the month and the day may come first, it is the month.
    """
    distinct = pd.Series(text.unique(), dtype=object)
    probe = distinct.iloc[:_PROBE]
    if not all(_LIKE_A_DATE.match(value) and len(re.findall(r"[/:. -]", value)) for value in probe):
        return None
    for format in FORMATS:
        for padded in (True, False):
            if _fits(probe, format, padded=padded) and _fits(distinct, format, padded=padded):
                return format, padded
    return None


def as_moments(text: pd.Series, format: str) -> pd.Series:
    """Moments without a time zone."""
    moments = pd.Series(pd.to_datetime(text.astype(object), format=format).array)
    return moments if moments.dt.tz is None else moments.dt.tz_localize(None)


def as_text(moments: pd.Series, format: str, *, padded: bool) -> list[str]:
    """Moments in a format."""
    written = moments.dt.strftime(format).tolist()
    return written if padded else [_ZERO.sub("", value) for value in written]


def _fits(text: pd.Series, format: str, *, padded: bool) -> bool:
    try:
        moments = pd.to_datetime(text, format=format)
    except (ValueError, OverflowError):
        return False
    if moments.dt.tz is not None:  # a Z is parsed as a zone
        moments = moments.dt.tz_localize(None)
    return as_text(moments, format, padded=padded) == text.tolist()

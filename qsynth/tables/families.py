"""What the values of a series are, whatever their dtype."""

import numpy as np
import pandas as pd
import pyarrow  # type: ignore[import-untyped]

from qsynth.errors import DataError
from qsynth.tables.dtypes import is_text

# What pandas finds in a column of objects -> family.
_OBJECTS = {
    "string": "text",
    "boolean": "boolean",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "datetime": "date",
    "datetime64": "date",
    "date": "date",
    "timedelta": "date",
    "timedelta64": "date",
    "mixed": "mixed",
    "mixed-integer": "mixed",
}


def family(series: pd.Series) -> str:
    """``boolean``, ``numbers``, ``date``, ``category``, ``text`` or ``mixed``.

    Raises:
        DataError: values that a table can't have, e.g. lists.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if dtype == np.dtype(object):
        found = pd.api.types.infer_dtype(series, skipna=True)
        if found == "mixed" and all(isinstance(value, np.bool_ | bool) for value in series.dropna()):
            return "boolean"
        if found in _OBJECTS and (found not in ("mixed", "mixed-integer") or _plain(series)):
            return _OBJECTS[found]
    elif pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    elif (
        pd.api.types.is_datetime64_any_dtype(dtype)
        or pd.api.types.is_timedelta64_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype)
        or (isinstance(dtype, pd.ArrowDtype) and pyarrow.types.is_date(dtype.pyarrow_dtype))
    ):
        return "date"
    elif pd.api.types.is_numeric_dtype(dtype) and dtype.kind in "iuf":
        return "numbers"
    elif is_text(dtype):
        return "text"
    value = series.dropna().iloc[0] if series.notna().any() else None
    raise DataError(
        f"column {series.name!r} must hold numbers, text, truths or dates; got a {type(value).__name__} "
        f"(dtype {dtype}). Convert or drop it"
    )


def _plain(series: pd.Series) -> bool:
    return all(isinstance(value, str | int | float | np.number | np.bool_) for value in series.dropna())

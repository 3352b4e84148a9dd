"""The dtypes of pandas as text, and series of exactly these dtypes."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow  # type: ignore[import-untyped]
from numpy.typing import NDArray

from qsynth.errors import DataError

MissingAs = Literal["nan", "None", "NA", "NaT"]
_FILLERS: dict[MissingAs, Any] = {"nan": float("nan"), "None": None, "NA": pd.NA, "NaT": pd.NaT}
# Text that pandas would read as another dtype than the one that says so.
_ARROW_TEXT = "arrow string"


def dtype_text(dtype: Any) -> str:
    """A dtype as text; :func:`dtype_of` is the way back.

    Raises:
        DataError: there is no such text for it.
    """
    text = _ARROW_TEXT if isinstance(dtype, pd.ArrowDtype) and str(dtype) == "string[pyarrow]" else str(dtype)
    try:
        if text == "category" or dtype_of(text) == dtype:
            return text
    except DataError:
        pass
    raise DataError(f"a column must be of a dtype that can be restored from its name; got {text}. Convert it")


def dtype_of(text: str) -> Any:
    """The dtype with this text.

    Raises:
        DataError: there is none.
    """
    if text == _ARROW_TEXT:
        return pd.ArrowDtype(pyarrow.string())
    try:
        return pd.api.types.pandas_dtype(text)
    except Exception:  # whatever pandas and pyarrow raise for a text that names no dtype
        raise DataError(f"dtype must name a dtype of pandas; got {text[:60]!r}") from None


def is_text(dtype: Any) -> bool:
    """Whether it holds text and nothing else."""
    return dtype != np.dtype(object) and bool(pd.api.types.is_string_dtype(dtype))


def missing_as(series: pd.Series) -> MissingAs:
    """What stands for a missing value in a series of objects; ``nan`` where the dtype says it."""
    absent = series[series.isna()]
    if series.dtype != np.dtype(object) or not len(absent):
        return "nan"
    first = absent.iloc[0]
    if first is None:
        return "None"
    return "NA" if first is pd.NA else "NaT" if first is pd.NaT else "nan"


def restored(
    values: Sequence[Any] | NDArray[Any], absent: NDArray[np.bool_], dtype: str, missing: MissingAs, name: str | int
) -> pd.Series:
    """A series of a dtype.

    Args:
        values: n values, any where ``absent``.
        absent: n, which values are missing.
        dtype: as :func:`dtype_text` gives it.
        missing: what stands for a missing value among objects.
        name: the series' name.
    """
    wanted = dtype_of(dtype)
    if wanted == np.dtype(object) or is_text(wanted):
        objects = np.empty(len(values), dtype=object)
        objects[:] = list(values)
        objects[absent] = _FILLERS[missing] if wanted == np.dtype(object) else None
        made: pd.Series = pd.Series(objects, dtype=wanted, name=name)
        return made
    series: pd.Series = pd.Series(values, name=name).astype(wanted)
    return series.mask(absent) if absent.any() else series

"""Any table comes back from its numbers as it was, and anything drawn within their range is a table of its schema."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from qsynth.errors import DataError, QsynthError
from qsynth.tables.columns import IdColumn
from qsynth.tables.inference import infer_schema
from qsynth.tables.schema import Schema

WORDS = st.sampled_from(["red", "blue", "$0-$50K", "ümlaut", "", " a", "NA", "1", "True"])
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False) | st.integers(-5000, 5000).map(lambda i: i / 100)
INTEGERS = st.integers(-(2**52), 2**52) | st.integers(-9, 9)
MOMENTS = st.datetimes(pd.Timestamp("1900-01-01"), pd.Timestamp("2180-01-01")) | st.dates().filter(
    lambda day: 1900 < day.year < 2180
).map(pd.Timestamp)


def _or_missing(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


def _series(values: list[Any], dtype: str) -> pd.Series:
    return pd.Series(values, dtype=dtype)


KINDS: dict[str, tuple[st.SearchStrategy[Any], str]] = {
    "float": (_or_missing(NUMBERS), "float64"),
    "float32": (_or_missing(st.floats(-1e5, 1e5, width=32)), "float32"),
    "int": (INTEGERS, "int64"),
    "int8": (st.integers(-128, 127), "int8"),
    "uint64": (st.integers(0, 2**52), "uint64"),
    "Int64": (_or_missing(INTEGERS), "Int64"),
    "Float64": (_or_missing(NUMBERS), "Float64"),
    "bool": (st.booleans(), "bool"),
    "boolean": (_or_missing(st.booleans()), "boolean"),
    "bool objects": (_or_missing(st.booleans()), "object"),
    "str": (_or_missing(WORDS), "str"),
    "string": (_or_missing(WORDS), "string"),
    "objects": (_or_missing(WORDS), "object"),
    "category": (_or_missing(WORDS), "category"),
    "codes": (_or_missing(st.integers(0, 3)), "category"),
    "moments": (_or_missing(MOMENTS), "datetime64[us]"),
    "ns": (_or_missing(MOMENTS), "datetime64[ns]"),
    "zone": (_or_missing(MOMENTS), "datetime64[us, Europe/Berlin]"),
    "arrow int": (_or_missing(INTEGERS), "int64[pyarrow]"),
    "arrow float": (_or_missing(NUMBERS), "double[pyarrow]"),
    "arrow date": (_or_missing(MOMENTS.map(lambda moment: moment.date())), "date32[day][pyarrow]"),
    "durations": (_or_missing(st.timedeltas(pd.Timedelta(days=-9999), pd.Timedelta(days=9999))), "timedelta64[us]"),
    "days": (_or_missing(MOMENTS.map(lambda moment: moment.date())), "object"),
    "iso": (_or_missing(MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%d"))), "str"),
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    n_rows = draw(st.integers(2, 20))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    return pd.DataFrame(
        {
            place if place == 2 else f"{kind} {place}": _series(
                draw(st.lists(KINDS[kind][0], min_size=n_rows, max_size=n_rows)), KINDS[kind][1]
            )
            for place, kind in enumerate(kinds)
        }
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames(), st.randoms(use_true_random=False))
def test_numbers_and_back(frame: pd.DataFrame, random: Any) -> None:
    try:
        schema, _ = infer_schema(frame)
    except DataError as error:
        reason = str(error)
    else:
        reason = ""
    assume("must have values" not in reason and "constants and ids only" not in reason)
    assert reason == ""
    numbers, labels = schema.encode(frame), schema.labels(frame)
    assert numbers.shape == (len(frame), len(schema.modelled))
    assert numbers.dtype == np.float64
    back = schema.decode(numbers, labels, seed=0)
    ids = [column.name for column in schema.columns if isinstance(column, IdColumn)]
    pd.testing.assert_frame_equal(back.drop(columns=ids), frame.drop(columns=ids), check_exact=True)
    assert list(back.columns) == list(frame.columns)
    assert [str(dtype) for dtype in back.dtypes] == [str(dtype) for dtype in frame.dtypes]
    schema.check(back)
    assert Schema.from_json(schema.model_dump_json()) == schema
    drawn = np.empty((40, len(schema.modelled)))
    for place, column in enumerate(schema.modelled):
        present = numbers[:, place][~np.isnan(numbers[:, place])]
        for row in range(40):
            absent = column.missing > 0 and random.random() < column.missing
            drawn[row, place] = np.nan if absent else random.uniform(present.min(), present.max())
    schema.check(schema.decode(drawn, np.zeros(40, np.int64), seed=1))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_forged_schema(data: st.DataObject) -> None:
    frame = pd.DataFrame(
        {
            "a": [1.5, 2.5, None, 4.25] * 5,
            "b": pd.to_datetime(["2020-01-01", "2020-02-01", "2021-01-01", "2020-01-04"] * 5),
            "c": ["x", "y", "z", "x"] * 5,
            "d": [f"u{n}" for n in range(20)],
            "e": 1,
            "f": pd.Series(["x", "y", "z", "x"] * 5, dtype="category"),
            "g": [True, False] * 10,
        }
    )
    content = infer_schema(frame, "c")[0].model_dump(mode="json")
    anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
    anything |= st.sampled_from(
        ["int64", "bool", "datetime64[ns]", "category", "date", "number", 10**400, [1, "a", None]]
    )
    place: Any = content
    key: Any = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    if data.draw(st.booleans()) and isinstance(place, dict):
        del place[key]
    else:
        place[key] = data.draw(anything)
    try:
        schema = Schema.from_json(json.dumps(content))
        schema.decode(np.zeros((4, len(schema.modelled))), np.zeros(4, np.int64), seed=0)
    except QsynthError:
        event("refused")


@pytest.mark.parametrize("text", ["", "[", "[]", "3", "null", "{}", "[" * 100_000, '{"columns": 3}'])
def test_no_schema(text: str) -> None:
    with pytest.raises(QsynthError):
        Schema.from_json(text)

"""Which kind a column is taken for, and what comes back."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.errors import DataError, QsynthError, StudyError
from qsynth.tables.columns import CategoryColumn, DateColumn, IdColumn, IntegerColumn, NumberColumn
from qsynth.tables.inference import infer_schema
from qsynth.tables.schema import Schema

N = 60
RNG = np.random.default_rng(3)


def frame(**columns: Any) -> pd.DataFrame:
    base = {"u": RNG.normal(size=N), "group": ["red", "blue", "green"] * (N // 3)}
    return pd.DataFrame({**base, **columns})


def kind(values: Any, **kinds: str) -> str:
    return infer_schema(frame(x=values), kinds=kinds)[0].column("x").kind


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RNG.normal(size=N), "number"),
        (RNG.integers(0, 90, N), "integer"),
        (pd.Series(RNG.integers(0, 90, N)).where(RNG.random(N) > 0.2), "integer"),
        ([True, False] * 30, "boolean"),
        (["yes", "no"] * 30, "category"),
        ([0, 1] * 30, "category"),
        ([0.0, 1.0] * 30, "category"),
        (pd.Categorical(["low", "high"] * 30, ["low", "high"], ordered=True), "category"),
        (pd.date_range("2021-01-01", periods=N), "date"),
        (pd.date_range("2021-01-01", periods=N).strftime("%d.%m.%Y"), "date"),
        (pd.date_range("2021-01-01", periods=N, freq="h").strftime("%Y-%m-%dT%H:%M:%SZ"), "date"),
        (pd.date_range("2021-01-01", periods=N).date, "date"),
        (pd.period_range("2021-01", periods=N, freq="M"), "date"),
        (pd.timedelta_range("1h", periods=N, freq="17min"), "date"),
        ([3.0] * N, "constant"),
        (["a"] * N, "constant"),
        ([pd.Timestamp("2020-02-02")] * N, "constant"),
        ([None] * N, "constant"),
        (range(N), "id"),
        (range(1, N + 1), "id"),
        ([f"cust-{n:04d}" for n in RNG.permutation(N)], "id"),
        ([2**60 + int(n) for n in RNG.permutation(N)], "id"),
        ([f"They said {n} things, and then {n * 7} more." for n in range(N)], "id"),
        ([f"word {n}" for n in range(N // 2)] * 2, "category"),
        ([f"{n / 7:.2f}" for n in range(N)], "number"),
        ([1, "one"] * 30, "category"),
    ],
)
def test_kinds(values: Any, expected: str) -> None:
    assert kind(values) == expected


def test_a_named_number_of_its_own_is_an_id_and_a_year_is_not() -> None:
    numbers = RNG.permutation(np.arange(1000, 1000 + 3 * N, 3))
    schema, remarks = infer_schema(
        frame(customer_id=numbers, userId=numbers, paid=numbers, year=np.arange(1950, 1950 + N))
    )
    assert [column.kind for column in schema.columns[2:]] == ["id", "id", "integer", "integer"]
    assert any(remark.column == "customer_id" and "made anew" in remark.text for remark in remarks)


def test_ids_are_made_anew_in_their_pattern() -> None:
    table = frame(
        run=range(N),
        order=[f"ORD-{n:05d}" for n in range(700, 700 + N)],
        uuid=[f"{n:08X}-0000-4000-8000-{n:012X}" for n in range(N)],
        plate=[f"{'ABCDE'[n % 5]}{'XYZ'[n % 3]}-{n * 37 % 100:02d}{'gh'[n % 2]}" for n in range(N)],
        note=[f"note on {n} " + "x" * n for n in range(N)],
    )
    schema, _ = infer_schema(table)
    made = schema.decode(np.zeros((500, 2)), np.zeros(500, np.int64), seed=1)
    assert made["run"].tolist() == list(range(N, N + 500))
    assert made["order"].str.fullmatch(r"ORD-\d{5}").all()
    assert made["uuid"].str.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}").all()
    assert made["plate"].str.fullmatch(r"[A-E][X-Z]-\d{2}[gh]|[A-Z]{2}-\d{2}[a-z]").all()
    assert made["note"].iloc[0] == f"note {N + 1}"
    for name in ("run", "order", "uuid", "note"):
        assert made[name].is_unique
        assert not set(made[name]) & set(table[name])
    again = schema.decode(np.zeros((500, 2)), np.zeros(500, np.int64), seed=2)
    assert again["uuid"].tolist() != made["uuid"].tolist()


def test_numbers_stay_in_their_range_and_steps() -> None:
    schema, _ = infer_schema(frame(price=RNG.integers(100, 999, N) / 100, dose=RNG.integers(1, 30, N) * 25))
    drawn = np.column_stack([RNG.normal(size=200), np.zeros(200), RNG.normal(5, 9, 200), RNG.normal(300, 500, 200)])
    made = schema.decode(drawn, np.zeros(200, np.int64), seed=0)
    assert made["price"].tolist() == [round(value, 2) for value in made["price"]]
    assert (made["dose"] % 25 == 0).all()
    assert made["dose"].dtype == np.int64
    for name in ("price", "dose"):
        column = schema.column(name)
        assert isinstance(column, NumberColumn | IntegerColumn)
        assert made[name].min() == column.low
        assert made[name].max() == column.high


def test_dates_come_back_in_their_text() -> None:
    days = pd.Series(pd.date_range("2021-01-01", periods=N, freq="9D"))
    unpadded = [f"{day.day}/{day.month}/{day.year}" for day in days]
    schema, _ = infer_schema(frame(visited=unpadded))
    column = schema.column("visited")
    assert isinstance(column, DateColumn)
    assert (column.format, column.padded, column.unit) == ("%d/%m/%Y", False, "D")
    assert column.decode(column.encode(pd.Series(unpadded))).tolist() == unpadded


class TestTarget:
    def test_classes_keep_their_type(self) -> None:
        for values in ([2, 10, 1] * 20, [2.0, 10.0, 1.0] * 20):
            table = frame(y=values)
            schema, _ = infer_schema(table, "y")
            assert schema.classes == tuple(str(value) for value in sorted(set(values)))
            assert schema.labels(table)[:3].tolist() == [1, 2, 0]
            pd.testing.assert_frame_equal(schema.decode(schema.encode(table), schema.labels(table), 0), table)

    def test_truths(self) -> None:
        schema, _ = infer_schema(frame(y=[True, False] * 30), "y")
        assert schema.classes == ("False", "True")

    def test_numbers_are_a_quantity(self) -> None:
        schema, _ = infer_schema(frame(y=RNG.normal(size=N)), "y")
        assert schema.classes == ("all",)
        assert [column.name for column in schema.modelled] == ["u", "group", "y"]
        assert infer_schema(frame(y=np.arange(N) * 3 % 41), "y")[0].classes == ("all",)

    def test_numbers_that_run_and_repeat_are_classes(self) -> None:
        table = pd.DataFrame({"u": RNG.normal(size=300), "digit": np.arange(300) % 30})
        assert len(infer_schema(table, "digit")[0].classes) == 30

    def test_somebody_may_insist(self) -> None:
        table = frame(y=[1, 2, 3] * 20)
        assert infer_schema(table, "y", {"y": "number"})[0].classes == ("all",)
        assert infer_schema(frame(y=np.arange(N) % 30), "y", {"y": "category"})[0].classes[29] == "29"

    def test_rows_without_a_target_are_left_out(self) -> None:
        table = frame()
        table.loc[4:6, "group"] = None
        schema, remarks = infer_schema(table, "group")
        assert schema.n_rows == N - 3 == len(schema.labelled(table))
        assert "3 rows without a target are left out; 57 remain" in [remark.text for remark in remarks]
        with pytest.raises(DataError, match="3 rows without it"):
            schema.labels(table)

    @pytest.mark.parametrize(
        ("y", "target", "message"),
        [
            ([1] * N, "z", "target must name a column; got 'z'. Known: group, u, y"),
            ([1] * N, "grup", "Did you mean 'group'"),
            ([1] * N, "y", "at least 2 different values; got '1' in all 60 rows"),
            ([None] * N, "y", "target 'y' must be given in at least 2 rows; got 0"),
        ],
    )
    def test_refused(self, y: Any, target: str, message: str) -> None:
        with pytest.raises(QsynthError, match=message.replace("?", r"\?")):
            infer_schema(frame(y=y), target)

    def test_too_many_classes(self) -> None:
        table = pd.DataFrame({"u": RNG.normal(size=500), "y": [f"c{n % 250}" for n in range(500)]})
        with pytest.raises(DataError, match="at most 200 classes; got 250"):
            infer_schema(table, "y")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame(), "must have columns"),
        (pd.DataFrame({"a": []}), "at least 2 rows; got 0"),
        (pd.DataFrame({"a": [1]}), "at least 2 rows; got 1"),
        (pd.DataFrame({"a": [None, np.nan], "b": [pd.NaT, pd.NA]}), "missing ones only"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "names must differ; got 'a' 2 times"),
        (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), "column 'a' must be finite"),
        (pd.DataFrame({"a": [1.0, 1e300, 2.0]}), "column 'a' must be finite"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' must hold numbers, text, truths or dates; got a list"),
        (pd.DataFrame({"a": [1j, 2j]}), "column 'a' must hold numbers"),
        (pd.DataFrame({"a": [(str(n), n)[n % 2] for n in range(80)]}), "values of one type"),
        (pd.DataFrame({("a", "b"): [1, 2]}), "name must be text"),
        (pd.DataFrame({"a": [3, 3]}), "constants and ids only"),
        (pd.DataFrame({"a": pd.cut(pd.Series(range(40)), 3)}), "Convert the column with astype"),
    ],
)
def test_refused(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        infer_schema(table)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "wanted"), [("u", "date"), ("group", "number"), ("group", "bool"), ("g", "number")])
def test_kinds_that_cannot_be(name: str, wanted: str) -> None:
    with pytest.raises((DataError, StudyError)) as caught:
        infer_schema(frame(), kinds={name: wanted})
    assert "\n" not in str(caught.value)


def test_ten_thousand_categories_are_made_anew() -> None:
    table = pd.DataFrame({"u": RNG.normal(size=20_000), "zip": [f"z{n % 10_000}" for n in range(20_000)]})
    schema, remarks = infer_schema(table)
    assert isinstance(schema.column("zip"), IdColumn)
    assert any("10000 different texts" in remark.text for remark in remarks)


def test_an_unknown_category_is_named() -> None:
    schema, _ = infer_schema(frame())
    assert isinstance(schema.column("group"), CategoryColumn)
    with pytest.raises(DataError, match=r"one of blue, green, red; got 'gren'\. Did you mean 'green'"):
        schema.encode(frame(group=["gren"] * N))
    with pytest.raises(DataError, match="must have a column 'u'"):
        schema.encode(frame().drop(columns="u"))
    with pytest.raises(DataError, match="columns must be 'u', 'group'; got 'group', 'u'"):
        schema.check(frame()[["group", "u"]])


def test_a_table_that_was_written_and_read_still_fits() -> None:
    """What has become a float, or text, on the way is still the category that it was."""
    table = frame(code=pd.Series([1, 2] * 30, dtype="Int64"), flag=[True, False] * 30)
    schema, _ = infer_schema(table)
    other = table.astype({"code": "float64", "flag": "str"})
    np.testing.assert_array_equal(schema.encode(other), schema.encode(table))


def test_missing_where_there_was_none() -> None:
    schema, _ = infer_schema(frame())
    with pytest.raises(DataError, match="no missing values"):
        schema.decode(np.array([[np.nan, 0.0]]), np.zeros(1, np.int64), seed=0)


def test_schema_is_json() -> None:
    table = frame(
        x=[None, "a", "b"] * 20, y=pd.Categorical(["q"] * N, ["q", "r"]), d=pd.date_range("2020", periods=N, tz="UTC")
    )
    schema, _ = infer_schema(table, "group")
    assert Schema.from_json(schema.model_dump_json()) == schema


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (range(1, 301), [301, 302, 303, 304, 305]),
        (range(300), [300, 301, 302, 303, 304]),
        ([f"cust-{n:04d}" for n in range(1, 301)], [f"cust-{n:04d}" for n in range(301, 306)]),
        (pd.array([*range(1, 300), None], dtype="Int64"), [300, 301, 302, 303, 304]),
    ],
)
def test_ids_go_on_after_the_largest(ids: Any, expected: list[Any]) -> None:
    table = pd.DataFrame({"id": ids, "size": np.random.default_rng(0).normal(size=300)})
    schema, _ = infer_schema(table)
    made = schema.decode(np.zeros((5, 1)), np.zeros(5, np.int64), seed=0)
    assert [mine for mine, there in zip(expected, made["id"].notna(), strict=True) if there] == made[
        "id"
    ].dropna().tolist()
    assert made["id"].dtype == table["id"].dtype


def test_ids_that_fill_their_dtype_begin_again() -> None:
    table = pd.DataFrame({"id": np.arange(120, dtype=np.int8), "size": np.random.default_rng(0).normal(size=120)})
    schema, _ = infer_schema(table)
    made = schema.decode(np.zeros((50, 1)), np.zeros(50, np.int64), seed=0)
    assert made["id"].tolist() == list(range(50))
    last = schema.decode(np.zeros((8, 1)), np.zeros(8, np.int64), seed=0)
    assert last["id"].tolist() == list(range(120, 128))

"""Tables are read in the form in which people have them; what was done to them is said."""

import codecs
import gzip
import io
import os
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.errors import FileError, QsynthError
from qsynth.tables import file_bytes
from qsynth.tables.inference import infer_schema
from qsynth.tables.reading import Rows, read_rows
from qsynth.tables.writing import write_rows

N = 90
RNG = np.random.default_rng(5)
A, B, C = (RNG.normal(size=N).round(4) for _ in range(3))
GROUP = ["blue", "red"] * (N // 2)
PLAIN = pd.DataFrame({"a": A, "b": B, "c": C, "group": pd.Series(GROUP, dtype="str")})


def as_text(frame: pd.DataFrame = PLAIN, **options: object) -> str:
    return frame.to_csv(index=False, **options)  # type: ignore[call-overload,no-any-return]


def comma(numbers: np.ndarray) -> list[str]:
    return [f"{number:.4f}".replace(".", ",") for number in numbers]


def said(rows: Rows) -> str:
    return "; ".join(f"{remark.column or ''} {remark.text}" for remark in rows.remarks)


SAME: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "plain": ("t.csv", lambda: as_text().encode(), ""),
    "upper case": ("T.CSV", lambda: as_text().encode(), ""),
    "tabs": ("t.tsv", lambda: as_text(sep="\t").encode(), ""),
    "tabs in csv": ("t.csv", lambda: as_text(sep="\t").encode(), ""),
    "semicolons": ("t.csv", lambda: as_text(sep=";").encode(), ""),
    "bars": ("t.csv", lambda: as_text(sep="|").encode(), ""),
    "gz": ("t.csv.gz", lambda: gzip.compress(as_text().encode()), ""),
    "GZ": ("T.TSV.GZ", lambda: gzip.compress(as_text(sep="\t").encode()), ""),
    "mark": ("t.csv", lambda: codecs.BOM_UTF8 + as_text(lineterminator="\r\n").encode(), ""),
    "utf-16": ("t.csv", lambda: as_text().encode("utf-16"), ""),
    "utf-16 without a mark": ("t.csv", lambda: as_text().encode("utf-16-le"), "read as UTF-16"),
    "mac line ends": ("t.csv", lambda: as_text(lineterminator="\r").encode(), ""),
    "no last line end": ("t.csv", lambda: as_text().rstrip().encode(), ""),
    "comment": ("t.csv", lambda: b"# exported by a tool\n# 2024, v1\n" + as_text().encode(), "2 comment lines"),
    "decimal commas": (
        "t.csv",
        lambda: as_text(PLAIN.assign(a=comma(A), b=comma(B), c=comma(C)), sep=";").encode(),
        "a commas are read as those of decimals",
    ),
    "decimal commas, quoted": (
        "t.csv",
        lambda: as_text(PLAIN.assign(a=comma(A), b=comma(B), c=comma(C))).encode(),
        "a commas are read as those of decimals",
    ),
    "comma at each end": (
        "t.csv",
        lambda: as_text().replace("\n", ",\n").encode(),
        "column 5 has neither a name nor values: left out",
    ),
    "comma at the end of rows": (
        "t.csv",
        lambda: as_text().replace("\n", ",\n").replace("group,\n", "group\n", 1).encode(),
        "the separator at the end of each row is left out",
    ),
    "blank rows": ("t.csv", lambda: as_text().encode() + b",,,\n,,,\n\n", "2 rows without any value"),
    "blank first lines": ("t.csv", lambda: b"\n\n" + as_text().encode(), ""),
    "index": ("t.csv", lambda: PLAIN.to_csv().encode(), "the first column has no name and counts the rows: left out"),
    "row names": (
        "t.csv",
        lambda: PLAIN.set_axis(range(1, N + 1)).to_csv().replace(",a,", "a,", 1).encode(),
        "the first column has no name and counts the rows: left out",
    ),
    "spaces": ("t.txt", lambda: as_text().replace(",", "   ").encode(), "fields are separated by spaces"),
    "spaces, row names": (
        "t.txt",
        lambda: PLAIN.set_axis(range(1, N + 1)).to_csv(sep=" ").replace('"" a', "a", 1).encode(),
        "fields are separated by spaces",
    ),
    "quoted": ("t.csv", lambda: as_text(quoting=1).encode(), ""),
}


@pytest.mark.parametrize("form", SAME)
def test_the_same_table(tmp_path: Path, form: str) -> None:
    name, content, remark = SAME[form]
    path = tmp_path / name
    path.write_bytes(content())
    rows = read_rows(path)
    pd.testing.assert_frame_equal(rows.frame, PLAIN, check_exact=True)
    assert remark in said(rows)
    assert rows.remarks if remark else not rows.remarks


def read(tmp_path: Path, text: str, target: str | None = None) -> Rows:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    return read_rows(path, target)


def test_other_encodings_are_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("u,café\n1,naïve\n2,x\n".encode("cp1252"))
    rows = read_rows(path)
    assert rows.frame["café"].tolist() == ["naïve", "x"]
    assert "the file is not UTF-8: read as Windows-1252" in said(rows)


def test_thousands(tmp_path: Path) -> None:
    rows = read(tmp_path, 'a,b\n"24,588",x\n"1,012,194",y\n312,x\n')
    assert rows.frame["a"].tolist() == [24588, 1012194, 312]
    assert rows.frame["a"].dtype == np.int64
    assert "a commas are read as those of thousands" in said(rows)


def test_dtypes_are_those_of_the_text(tmp_path: Path) -> None:
    text = "i,gap,f,t,tgap,zip,word,pad\n"
    text += "1,2,1.0,True,False,01234,yes, a\n2,,2.5,False,,00001,no,a \n3,?,NA,True,True,10000,NA,b\n"
    frame = read(tmp_path, text).frame
    expected = ["int64", "Int64", "float64", "bool", "boolean", "str", "str", "str"]
    assert [str(dtype) for dtype in frame.dtypes] == expected
    assert frame["zip"].tolist() == ["01234", "00001", "10000"]
    assert frame["pad"].tolist() == [" a", "a ", "b"]
    assert frame["word"].isna().tolist() == [False, False, True]
    assert frame["gap"].isna().tolist() == [False, True, True]
    assert read(tmp_path, text, "word").frame["word"].tolist() == ["yes", "no", "NA"]


def test_whole_numbers_without_gaps_once_the_blank_rows_are_gone(tmp_path: Path) -> None:
    assert [str(dtype) for dtype in read(tmp_path, "a,b\n1,True\n2,False\n,\n").frame.dtypes] == ["int64", "bool"]


def test_numbers_are_exact(tmp_path: Path) -> None:
    values = RNG.normal(size=400) * 10.0 ** RNG.integers(-300, 90, 400)
    frame = read(tmp_path, "x,y\n" + "".join(f"{value!r},0\n" for value in values.tolist())).frame
    assert frame["x"].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("text", "headerless"),
    [
        ("1.5,2.5,blue\n1.4,2.1,blue\n0.2,0.3,red\n", True),
        ("1.5,2.5\n1.4,2.1\n0.2,0.3\n", True),
        ("red,small\nred,large\nblue,small\n", True),
        ("?,2.5,blue\n1.4,2.1,blue\n0.2,0.3,red\n", True),
        ("a,b,c\n1.4,2.1,blue\n0.2,0.3,red\n", False),
        ("country,1990,1991,1992\nA,2.1,3,4\nB,0.3,3,4\n", False),
        ("0,1,2\n2.1,3,4\n0.3,3,4\n", False),
        ("colour,size\nred,large\nblue,small\n", False),
    ],
)
def test_header_lines(tmp_path: Path, text: str, headerless: bool) -> None:
    rows = read(tmp_path, text)
    assert len(rows.frame) == (3 if headerless else text.count("\n") - 1)
    assert ("column_1" in rows.frame.columns) == headerless
    assert any(remark.warning for remark in rows.remarks) == headerless


def test_names_that_are_missing_are_made(tmp_path: Path) -> None:
    rows = read(tmp_path, "u,,w\n1,2,3\n4,5,6\n")
    assert rows.frame.columns.tolist() == ["u", "column_2", "w"]
    assert "column 2 has no name: called column_2" in said(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a header line and rows; got an empty file"),
        ("\n\n  \n", "got an empty file"),
        ("a,b\n", "must have rows below its header line"),
        ("a,b\n,\nNA,?\n", "missing ones only in 2 rows"),
        ("a,a,b\n1,2,3\n", "column names must differ; got 'a' 2 times"),
        ("a, a,b\n1,2,3\n", "column names must differ; got 'a' 2 times"),
        ("178,13,x,y,z\n" + ",".join("1" * 14) + "\n", "line 1 has 5 fields, line 2 has 14"),
        ("# c\n\na,b\n1,2\n1,2,3,4\n", "line 3 has 2 fields, line 5 has 4"),
        ("a,b\n1,2\n3\n", "line 1 has 2 fields, line 3 has 1"),
        ('a,b\n1,"2\n3,4\n', "t.csv must "),
        ("a,b\n1,\0\n", "bytes that are no text"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(QsynthError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_infinite_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(QsynthError, match="column 'a' must be finite"):
        infer_schema(read(tmp_path, "a,b\n1,2\ninf,4\n3,5\n").frame)


def test_standard_input_and_pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = as_text().encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(content))))
    pd.testing.assert_frame_equal(read_rows("-").frame, PLAIN)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    pd.testing.assert_frame_equal(read_rows(pipe).frame, PLAIN)
    writer.join()


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_bytes, "MAX_BYTES", 2000)
    for name, content in {"t.csv": as_text().encode(), "t.csv.gz": gzip.compress(as_text().encode())}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match="must be at most 0 MiB"):
            read_rows(tmp_path / name)


def test_damaged_files(tmp_path: Path) -> None:
    for name in ("t.parquet", "t.csv.gz"):
        (tmp_path / name).write_bytes(b"PAR1" * 9 if name == "t.parquet" else gzip.compress(b"a,b\n1,2\n")[:-12])
        with pytest.raises(FileError) as caught:
            read_rows(tmp_path / name)
        assert name in str(caught.value)


def test_parquet(tmp_path: Path) -> None:
    frame = PLAIN.assign(
        when=pd.date_range("2020", periods=N), kind=pd.Categorical(GROUP), price=[Decimal("1.25"), Decimal("2.50")] * 45
    ).set_index(pd.Index(range(7, 7 + N), name="key"))
    frame.to_parquet(tmp_path / "t.PARQUET")
    rows = read_rows(tmp_path / "t.PARQUET")
    expected = frame.assign(price=[1.25, 2.5] * 45).reset_index()
    pd.testing.assert_frame_equal(rows.frame, expected, check_freq=False)
    assert "the table's index is read as columns" in said(rows)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "T.TXT"])
def test_written_tables_are_read_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = PLAIN.assign(n=pd.Series([1, None] * 45, dtype="Int64"), note='a "b", c')
    write_rows(frame, path)
    pd.testing.assert_frame_equal(read_rows(path).frame, frame)
    content = path.read_bytes()
    write_rows(frame, path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_rows_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(PLAIN, "-")
    assert capsys.readouterr().out == as_text()


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.parquet.gz", "absent/t.csv"])
def test_tables_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError):
        write_rows(PLAIN, tmp_path / name)
    with pytest.raises(FileError, match="can't hold the table"):
        write_rows(pd.DataFrame({"a": [1, "x"]}), tmp_path / "t.parquet")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.data import table_file
from qsynth.data.table_file import read_table
from qsynth.errors import QsynthError


def frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"u": rng.normal(size=n), "v": rng.integers(0, 9, n), "species": ["cat", "dog", "eel"] * (n // 3)}
    )


def save(content: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        content.to_csv(path, index=False)
    else:
        content.to_parquet(path)
    return path


def refusal(path: Path, label: str | None = "species") -> str:
    with pytest.raises(QsynthError) as caught:
        read_table(path, label)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "T.CSV"])
def test_values_labels_and_names_arrive(tmp_path: Path, name: str) -> None:
    content = frame()
    path = tmp_path / name
    if path.suffix == ".parquet":
        content.to_parquet(path)
    else:
        content.to_csv(path, index=False)
    table = read_table(path, "species")
    np.testing.assert_allclose(table.x, content[["u", "v"]].to_numpy(), rtol=1e-14)
    assert table.feature_names == ("u", "v")
    assert table.class_names == ("cat", "dog", "eel")
    assert table.y.tolist() == [0, 1, 2] * 20
    assert table.y.dtype == np.int64


def test_without_label_there_is_one_class(tmp_path: Path) -> None:
    table = read_table(save(frame()[["u", "v"]], tmp_path / "t.csv"), None)
    assert table.class_names == ("all",)
    assert not table.y.any()


def test_numbers_as_labels_sort_as_numbers(tmp_path: Path) -> None:
    content = frame().assign(species=[2, 10, 1] * 20)
    table = read_table(save(content, tmp_path / "t.csv"), "species")
    assert table.class_names == ("1", "2", "10")
    assert table.y[:3].tolist() == [1, 2, 0]


def test_a_class_may_be_called_na(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("u,species\n" + "".join(f"{n},{('NA', 'null', 'cat')[n % 3]}\n" for n in range(60)))
    table = read_table(path, "species")
    assert table.class_names == ("NA", "cat", "null")
    assert table.y[:3].tolist() == [0, 2, 1]
    path.write_text("u,species\n" + "".join(f"{n},{('', 'cat')[n % 2]}\n" for n in range(60)))
    assert "column 'species' must have no missing values; got 30 missing" in refusal(path)


def test_booleans_are_numbers_and_a_byte_order_mark_is_no_name(tmp_path: Path) -> None:
    content = frame().assign(v=[True, False] * 30)
    path = tmp_path / "t.csv"
    content.to_csv(path, index=False, encoding="utf-8-sig")
    table = read_table(path, "species")
    assert table.feature_names[0] == "u"
    assert set(table.x[:, 1]) == {0.0, 1.0}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
class TestContent:
    def test_text_feature(self, tmp_path: Path, suffix: str) -> None:
        content = frame().assign(u=["1.5", "red"] * 30)
        message = refusal(save(content, tmp_path / f"t{suffix}"))
        assert "feature column 'u' must be numeric; 30 of 60 rows are not, e.g. 'red'" in message

    def test_missing_values(self, tmp_path: Path, suffix: str) -> None:
        content = frame()
        content.loc[3:5, "u"] = np.nan
        assert "column 'u' must have no missing values; got 3 missing in 60 rows" in refusal(
            save(content, tmp_path / f"t{suffix}")
        )

    def test_missing_labels(self, tmp_path: Path, suffix: str) -> None:
        content = frame()
        content.loc[3, "species"] = None
        assert "column 'species' must have no missing values; got 1" in refusal(save(content, tmp_path / f"t{suffix}"))

    def test_unknown_label(self, tmp_path: Path, suffix: str) -> None:
        message = refusal(save(frame(), tmp_path / f"t{suffix}"), "specie")
        assert message.endswith("got 'specie'. Did you mean 'species'?")

    def test_one_class(self, tmp_path: Path, suffix: str) -> None:
        message = refusal(save(frame().assign(species="cat"), tmp_path / f"t{suffix}"))
        assert "'species' must have at least 2 classes; got 'cat' in all 60 rows" in message

    def test_measurements_as_label(self, tmp_path: Path, suffix: str) -> None:
        message = refusal(save(frame(), tmp_path / f"t{suffix}"), "u")
        assert "'u' must have at most 50 classes; got 60 different values" in message

    def test_too_few_rows(self, tmp_path: Path, suffix: str) -> None:
        assert "at least 40 rows; got 39" in refusal(save(frame(39), tmp_path / f"t{suffix}"))

    @pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e300])
    def test_infinite(self, tmp_path: Path, suffix: str, bad: float) -> None:
        content = frame()
        content.loc[7, "u"] = bad
        assert "column 'u' must be finite and within +-1e+100; 1 of 60 rows are not" in refusal(
            save(content, tmp_path / f"t{suffix}")
        )

    def test_label_only(self, tmp_path: Path, suffix: str) -> None:
        assert "must have a feature column" in refusal(save(frame()[["species"]], tmp_path / f"t{suffix}"))

    def test_reserved_name(self, tmp_path: Path, suffix: str) -> None:
        path = save(frame().rename(columns={"u": "label"}), tmp_path / f"t{suffix}")
        assert "Set label: label, or rename" in refusal(path)

    def test_too_large(self, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(table_file, "MAX_BYTES", 1024)
        assert "must be at most 0 MiB" in refusal(save(frame(300), tmp_path / f"t{suffix}"))

    def test_not_such_a_file(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"t{suffix}"
        path.write_bytes(bytes(range(256)) * 4)
        assert str(path) in refusal(path)
        path.write_bytes(b"")
        assert str(path) in refusal(path)


def test_parquet_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(pd.DataFrame({"u": np.zeros(100_000), "v": np.zeros(100_000)}), tmp_path / "t.parquet")
    monkeypatch.setattr(table_file, "MAX_BYTES", path.stat().st_size + 1000)
    assert "must unpack to at most" in refusal(path, None)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("u,u,species", "column names must differ; got 'u' 2 times"),
        (",u,species", "column 1 of 3 has none"),
        ("u,species", "must be a CSV table"),
        ("u;v;species", "must have commas between its columns; its header line has ';'"),
    ],
)
def test_headers(tmp_path: Path, header: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *("1,2,cat\n3,4,dog" for _ in range(30))]), encoding="utf-8")
    assert message in refusal(path)


def test_ragged_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("u,species\n" + "1,cat\n2,dog\n" * 30 + "1,2,3,4\n", encoding="utf-8")
    assert "must be a CSV table" in refusal(path)


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("u,species\n1,café\n".encode("latin-1"))
    assert "must be UTF-8" in refusal(path)


def test_paths(tmp_path: Path) -> None:
    assert "must end in .csv or .parquet" in refusal(tmp_path / "t.xlsx")
    assert "existing file" in refusal(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "existing file" in refusal(tmp_path / "folder.csv")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.data.table_file import read_table
from qsynth.errors import QsynthError
from qsynth.tables import file_bytes


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
    path.write_text("u,species\n" + "".join(f"{n / 7},{('NA', 'null', 'cat')[n % 3]}\n" for n in range(60)))
    table = read_table(path, "species")
    assert table.class_names == ("NA", "cat", "null")
    assert table.y[:3].tolist() == [0, 2, 1]


def test_rows_without_a_label_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("u,species\n" + "".join(f"{n / 7},{('', 'cat', 'dog')[n % 3]}\n" for n in range(60)))
    table = read_table(path, "species")
    assert table.x.shape == (40, 1)
    assert table.class_names == ("cat", "dog")


def test_a_column_that_yaml_reads_as_no_label(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("u,null\n" + "".join(f"{n / 7},{n % 2}\n" for n in range(60)))
    assert "write label: 'null', in quotes" in refusal(path, None)
    assert read_table(path, "null").class_names == ("0", "1")


def test_ids_are_left_out(tmp_path: Path) -> None:
    content = frame().assign(row_id=np.arange(60) * 3 + 100)
    assert read_table(save(content, tmp_path / "t.csv"), "species").feature_names == ("u", "v")


def test_a_file_without_a_header_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame().to_csv(path, index=False, header=False)
    assert "looks like a row and not like names" in refusal(path, "cat")


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
        """Codes in the order of the names; what is missing is the most frequent."""
        content = frame().assign(u=["red", None, "blue", "red"] * 15)
        table = read_table(save(content, tmp_path / f"t{suffix}"), "species")
        assert table.x[:4, 0].tolist() == [1.0, 1.0, 0.0, 1.0]

    def test_missing_values(self, tmp_path: Path, suffix: str) -> None:
        content = frame()
        content.loc[3:5, "u"] = np.nan
        table = read_table(save(content, tmp_path / f"t{suffix}"), "species")
        assert table.x[3:6, 0] == pytest.approx(content["u"].median(), abs=1e-12)
        assert table.x[2, 0] == pytest.approx(content["u"][2])

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
        monkeypatch.setattr(file_bytes, "MAX_BYTES", 1024)
        assert "must be at most 0 MiB" in refusal(save(frame(300), tmp_path / f"t{suffix}"))

    def test_not_such_a_file(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"t{suffix}"
        path.write_bytes(bytes(range(256)) * 4)
        assert str(path) in refusal(path)
        path.write_bytes(b"")
        assert str(path) in refusal(path)


def test_parquet_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(pd.DataFrame({"u": np.zeros(100_000), "v": np.zeros(100_000)}), tmp_path / "t.parquet")
    monkeypatch.setattr(file_bytes, "MAX_BYTES", path.stat().st_size + 1000)
    assert "must unpack to at most" in refusal(path, None)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert "must end in .csv, .tsv, .txt or .parquet" in refusal(tmp_path / "t.xlsx")
    assert "existing file" in refusal(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "must be a file; got the folder" in refusal(tmp_path / "folder.csv")

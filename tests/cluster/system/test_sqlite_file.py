"""An embedded MLflow's file is found under any name, and is never half there."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from cluster.system.sqlite_file import is_half_made, make_at, make_database, sqlite_path, sqlite_uri
from qsynth.errors import FileError

NAMES = ["plain", "runs 100%", "50%25", "50%ab", "a?b", "a#b", "a&b=c", "a+b;c", "it's", "né [x]", "a%3Fb?c"]


def tables_at(uri: str) -> None:
    engine = create_engine(uri)
    with engine.begin() as connection:
        connection.exec_driver_sql("create table runs (id integer)")
    engine.dispose()


@pytest.mark.parametrize("name", NAMES)
def test_an_address_opens_its_file_and_no_other(tmp_path: Path, name: str) -> None:
    file = tmp_path / name / "mlflow.db"
    assert sqlite_path(sqlite_uri(file)) == file
    make_database(file, tables_at)
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*")] == [Path(name), Path(name) / "mlflow.db"]
    with sqlite3.connect(file) as database:
        assert database.execute("select name from sqlite_master").fetchall() == [("runs",)]


def test_folders_that_mlflow_makes_by_mistake_are_not_left(tmp_path: Path) -> None:
    def make(uri: str) -> str:
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)  # as MLflow does
        return uri

    assert make_at(tmp_path / "a?b" / "c" / "m.db", make) == f"sqlite:///{tmp_path}/a%3Fb/c/m.db"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "plain").mkdir()
    make_at(tmp_path / "plain" / "m.db", make)
    assert list(tmp_path.iterdir()) == [tmp_path / "plain"]


@pytest.mark.parametrize(
    "uri", ["sqlite:///", "sqlite:///:memory:", "sqlite://x", "sqlite:///a?mode=ro", "sqlite+x:///a"]
)
def test_what_names_no_file_is_refused(uri: str) -> None:
    with pytest.raises(FileError, match="tracking uri must"):
        sqlite_path(uri)


def test_a_database_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"

    def cut(uri: str) -> None:
        tables_at(uri)
        assert not file.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_database(file, cut)
    assert list(tmp_path.iterdir()) == []
    make_database(file, tables_at)
    make_database(file, cut)  # it is there: nothing is made


def test_who_is_quicker_wins(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"

    def slow(uri: str) -> None:
        tables_at(uri)
        make_database(file, tables_at)
        with sqlite3.connect(file) as database:
            database.execute("insert into runs values (7)")

    make_database(file, slow)
    with sqlite3.connect(file) as database:
        assert database.execute("select id from runs").fetchall() == [(7,)]


def test_half_made_ones_hold_no_run(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    with sqlite3.connect(file) as database:
        database.execute("create table metrics (key text)")
        assert is_half_made(file)
        database.execute("create table runs (id integer)")
        assert is_half_made(file)
        database.execute("insert into runs values (1)")
    assert not is_half_made(file)
    file.write_bytes(b"something else" * 100)
    assert not is_half_made(file)

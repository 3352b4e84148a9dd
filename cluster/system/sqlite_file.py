"""The SQLite file of an embedded MLflow, and its address as SQLAlchemy reads it."""

import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from qsynth.errors import FileError

SQLITE = "sqlite:///"
Made = TypeVar("Made")
# What SQLAlchemy takes for something else in a path: a coded character, or the beginning of options.
_CODED = re.compile(r"%(?=[0-9A-Fa-f]{2})|\?")


def sqlite_uri(file: Path) -> str:
    """The address of a file, whatever its name."""
    return SQLITE + _CODED.sub(lambda found: quote(found[0]), str(file.absolute()))


def sqlite_path(uri: str) -> Path:
    """The file at an address.

    Raises:
        FileError: it has options, or names no file.
    """
    path, mark, _ = uri.removeprefix(SQLITE).partition("?")
    if mark:
        raise FileError(f"tracking uri must have no options, and ? in a file's name written as %3F; got {uri!r}")
    if not uri.startswith(SQLITE) or not path or path.startswith(":"):
        raise FileError(f"tracking uri must name an SQLite file like sqlite:///mlflow.db; got {uri!r}")
    return Path(unquote(path)).absolute()


def make_database(file: Path, make: Callable[[str], object]) -> None:
    """Have a database made that is not there yet, so that nobody ever meets a part of one.

    Args:
        make: makes the tables at an address.

    Raises:
        OSError: the folder can't be written.
    """
    if file.exists() and file.stat().st_size:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=file.parent) as folder:
        made = Path(folder) / file.name
        make_at(made, make)
        if file.exists() and not file.stat().st_size:
            file.unlink()
        try:
            file.hardlink_to(made)
        except FileExistsError:  # of another process, which was quicker
            return
        except OSError:  # a file system without links
            made.rename(file)


def make_at(file: Path, make: Callable[[str], Made]) -> Made:
    """What is made at a file's address, without the empty folders that MLflow makes where it takes coded characters
    for letters."""
    uri = sqlite_uri(file)
    literal = Path(uri.removeprefix(SQLITE)).parent
    strays = [folder for folder in (literal, *literal.parents) if not folder.exists()]
    try:
        return make(uri)
    finally:
        with suppress(OSError):
            for folder in strays:
                folder.rmdir()


def is_half_made(file: Path) -> bool:
    """Whether a database that MLflow can't use holds no run, so that nothing is lost without it."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=5)) as database:
            tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
            return "runs" not in tables or not database.execute("select count(*) from runs").fetchone()[0]
    except sqlite3.Error:
        return False

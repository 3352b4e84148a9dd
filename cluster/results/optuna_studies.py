"""Trials as studies of Optuna, in a storage that its dashboard opens."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.system.sqlite_file import sqlite_uri
from qsynth.errors import FileError, QsynthError, StudyError
from qsynth.space.search_space import Choice, Int, SearchSpace

DIRECTIONS = ["maximize", "minimize"]  # of the objectives: score, circuits


def load_optuna() -> Any:
    """The library.

    Raises:
        QsynthError: it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise QsynthError("this needs Optuna; install it with: pip install 'qsynth[compare]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def distributions(space: SearchSpace) -> dict[str, Any]:
    """What Optuna draws from: each hyperparameter's range, on its own scale."""
    optuna, made = load_optuna(), {}
    for name, dimension in sorted(space.items()):
        match dimension:
            case Int():
                made[name] = optuna.distributions.IntDistribution(dimension.low, dimension.high)
            case Choice():
                made[name] = optuna.distributions.CategoricalDistribution(dimension.values)
            case _:
                made[name] = optuna.distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    return made


def storage_url(where: str) -> str:
    """A storage's URL as Optuna takes it, of a file's name or of a URL.

    Raises:
        QsynthError: an SQLite URL with options, which the name of a file is cut off at.
    """
    if "://" not in where:
        return sqlite_uri(Path(where))
    if where.startswith("sqlite") and "?" in where:
        raise FileError(f"a storage must have no options, and ? in a file's name written as %3F; got {where!r}")
    return where


@contextmanager
def new_studies(storage: str | None, names: Sequence[str]) -> Iterator[list[Any]]:
    """Empty studies, to be filled in the block; when that fails, nothing is left of them.

    Args:
        storage: URL; None: in memory.

    Raises:
        QsynthError: Optuna is not installed, the storage has a study of such a name already, or can't be used.
    """
    optuna = load_optuna()
    from sqlalchemy.exc import SQLAlchemyError

    made: list[Any] = []
    try:
        for name in names:
            empty = optuna.create_study(storage=storage, study_name=name, directions=DIRECTIONS)
            made.append(empty)
        yield made
    except BaseException as error:
        for each in made if storage is not None else ():
            with suppress(Exception):
                optuna.delete_study(study_name=each.study_name, storage=storage)
        match error:
            case optuna.exceptions.DuplicatedStudyError():
                taken = names[len(made)]
                raise StudyError(f"{shown_url(storage)} must not have a study {taken!r} yet") from None
            case SQLAlchemyError() | ImportError() | optuna.exceptions.StorageInternalError():
                why = str(error.__cause__ or error).splitlines()[0]
                raise FileError(f"a storage must be one that Optuna can use; got {shown_url(storage)}: {why}") from None
        raise


def shown_url(storage: str | None) -> str:
    """Without the password."""
    if storage is None:
        return "the storage in memory"
    password = urlsplit(storage).password
    return storage if password is None else storage.replace(f":{password}@", ":***@", 1)

"""The token that the service asks for: made here, or copied from the head."""

from pathlib import Path

from cluster.machines.private_ray import write_token
from cluster.system.home import home
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_copy


def own_token() -> Path:
    """The token's file, made with mode 0600 when there is none.

    Raises:
        QsynthError: it can't be read, is empty, or others can read it.
    """
    home().mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home() / "token"
    if not path.is_file():
        write_token(path)
    check_token(path)
    return path


def adopted_token(given: Path | None) -> Path:
    """A copy of the head's token, kept as this machine's own; None: it is there already.

    Raises:
        QsynthError: there is none, or it can't be used.
    """
    path = home() / "token"
    if given is not None:
        check_token(given)
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        if given.absolute() != path:
            atomic_copy(given, path, mode=0o600)
    elif not path.is_file():
        raise QsynthError("--join needs --token FILE: a copy of the head's token (`qsynth up` says where it is)")
    return path


def check_token(path: Path) -> None:
    """Find out whether a token's file can be used.

    Raises:
        QsynthError: it can't be read, is empty, or others can read it.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text().strip()
    except OSError as error:
        raise QsynthError(f"the token file {path} can't be read: {error.strerror}") from None
    if mode & 0o077:
        raise QsynthError(f"the token file {path} must be its owner's alone; do: chmod 600 {path}")
    if not text:
        raise QsynthError(f"the token file {path} must not be empty")

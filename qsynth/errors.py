"""What callers did wrong, in one line each."""

from collections.abc import Iterable
from difflib import get_close_matches


class QsynthError(ValueError):
    """The caller erred. The message is one line: what must hold, what was found, what to do.

    There is one class a cause, so that nobody need read the message to tell causes apart.
    """


class StudyError(QsynthError):
    """A setting of a study, or an argument of a call, is not what it must be."""


class DataError(QsynthError):
    """Rows can't be learned from, or are not of the shape that they must have."""


class FileError(QsynthError):
    """A file or folder can't be read or written, or is not what it must be."""


class CircuitError(QsynthError):
    """An ansatz or an engine does not do what circuits must."""


class DeviceError(QsynthError):
    """A device, simulated or real, is not here, or can't be used for this."""


class MemoryLimitError(QsynthError):
    """What is asked for takes more memory than there is."""


class CompilationError(QsynthError):
    """This machine can't compile programs, or not keep them."""


class DivergedError(QsynthError):
    """Training ended early, in numbers that are no use."""


class NotFittedError(QsynthError):
    """Something must be trained before it can be used."""


class PluginError(QsynthError):
    """An installed plugin can't be loaded."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` when a known name is close, else the list of known names."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names)}." if names else ""

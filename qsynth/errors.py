"""What callers did wrong, in one line each."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 800  # characters of a message
LONGEST_VALUE = 100  # of a value in it
LONGEST_NAME = 60  # that is compared with known ones


class QsynthError(ValueError):
    """The caller erred. The message is one line: what must hold, what was found, what to do.

    There is one class a cause, so that nobody need read the message to tell causes apart. Whatever somebody's file
    brought into it, the message is short and can be printed.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_printable(message))


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
    close = get_close_matches(name[:LONGEST_NAME], names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names)}." if names else ""


def shown(value: object) -> str:
    """A value as messages quote it: its ``repr``, or the beginning and the end of that."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        text = f"a {type(value).__name__}"
    return _cut(text, LONGEST_VALUE)


def _printable(message: str) -> str:
    """One line, at most ``LONGEST`` characters, without any that a terminal acts on."""
    line = "".join(each if each.isprintable() else " " if each.isspace() else repr(each)[1:-1] for each in message)
    return _cut(line, LONGEST)


def _cut(text: str, longest: int) -> str:
    """``text`` without its middle, where it is too long."""
    if len(text) <= longest:
        return text
    mark = f"...[{len(text):,} characters]..."
    kept = longest - len(mark)
    return text[: kept - kept // 3] + mark + text[-(kept // 3) :]

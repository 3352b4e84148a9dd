"""What callers did wrong, in one line each."""

from collections.abc import Iterable
from difflib import get_close_matches


class QsynthError(ValueError):
    """The caller erred. The message is one line: what must hold, what was found, what to do."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` when a known name is close, else the list of known names."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names)}." if names else ""

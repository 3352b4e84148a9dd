"""The end of a process that hangs: a device's execution that never returns can't be interrupted from inside."""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 60.0  # at least, beyond a time limit


class Watchdog:
    """Ends this process where what it watches goes on for much longer than its time limit.

    Only processes that somebody starts again have one (:meth:`allow`): workers. A thread of the interpreter's own does
    it, so that it also ends those that hang in a library. The process's standard error then has where it hung.
    """

    _allowed = False

    @classmethod
    def allow(cls) -> None:
        """From now on this process may be ended."""
        cls._allowed = True

    @classmethod
    @contextmanager
    def watching(cls, limit: float) -> Iterator[None]:
        """Watch the block, whose time limit is in seconds. It may take twice as long, as its end comes by itself where
        something returns late, and a minute more at least."""
        if not cls._allowed:
            yield
            return
        faulthandler.dump_traceback_later(max(2 * limit, limit + GRACE_SECONDS), exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

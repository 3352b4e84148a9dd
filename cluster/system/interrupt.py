"""Ctrl-C and SIGTERM: finish what is at hand, keep it, say how to go on; the second time, end at once."""

import os
import signal
from types import FrameType, TracebackType

ONCE = b"\nstopping: what is at hand is finished and kept; once more ends at once\n"
STANDARD_ERROR = 2


class Interrupted(Exception):  # noqa: N818  (an outcome, as KeyboardInterrupt is)
    """A signal asked to stop. ``exit_code`` is 130 after SIGINT and 143 after SIGTERM."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class EndedAtOnce(BaseException):
    """A second signal came. ``exit_code`` as of :class:`Interrupted`."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


STOPPED = (Interrupted, EndedAtOnce)


class InterruptGuard:
    """While active, the first SIGINT or SIGTERM is remembered and raised at the next :meth:`check`; the second one
    raises :class:`EndedAtOnce` wherever the process is; the third acts as usual."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested: int | None = None

    def __enter__(self) -> "InterruptGuard":
        self._former = {signum: signal.signal(signum, self._remember) for signum in self.SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._former.items():
            signal.signal(signum, handler)

    def listen(self) -> None:
        """Put the handlers in place again: Ray, when it starts, lets SIGTERM end the process at once."""
        if self.requested is None:
            for signum in self.SIGNALS:
                signal.signal(signum, self._remember)

    def check(self) -> None:
        """Raise :class:`Interrupted` if a signal has come."""
        if self.requested is not None:
            raise Interrupted(self.requested)

    def _remember(self, signum: int, frame: FrameType | None) -> None:
        if self.requested is None:
            self.requested = signum
            os.write(STANDARD_ERROR, ONCE)  # print may be what was interrupted
            return
        for each, handler in self._former.items():
            signal.signal(each, handler)
        raise EndedAtOnce(signum)

"""One bad file, and what reading it came to."""

import contextlib
import io
import os
import platform
import random
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from cluster.system.environment import set_defaults
from cluster.tracking.store import CLIENT_SETTINGS
from qsynth.errors import LONGEST, QsynthError
from tests.bad_files.damage import no_file
from tests.bad_files.kinds import Kind

PATIENCE, LONGEST_WAIT = 20, 120  # seconds: of the processor, and on the clock, as machines may be busy
SHARE_OF_NO_FILES = 0.06
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class HangError(BaseException):
    """It took too long."""


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Attributes:
        what: ``refused`` in one line, ``read``, or a fault: ``traceback``, ``hang``, ``outside`` (its folder), or
            ``message`` (one that is no line).
    """

    what: str
    detail: str = ""

    @property
    def good(self) -> bool:
        """Whether this may happen."""
        return self.what in ("refused", "read")


class Watch:
    """Where this process writes."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.outside: list[str] = []
        set_defaults(CLIENT_SETTINGS)  # as whoever records a study does, before MLflow is imported
        platform.processor()  # MLflow asks for it, of a process of its own; the answer is kept
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        paths: tuple[Any, ...] = ()
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            paths = arguments[:1]
        elif event in ("os.mkdir", "os.remove", "os.rmdir"):
            paths = (_full(arguments[0], arguments[-1]),)
        elif event in ("os.chmod", "os.truncate", "shutil.rmtree"):
            paths = arguments[:1]
        elif event in ("os.rename", "os.link", "os.symlink", "shutil.copyfile", "shutil.move"):
            paths = arguments[:2]
        elif event in ("subprocess.Popen", "os.system", "os.exec", "socket.connect"):
            self.outside.append(f"{event} {arguments!r}"[:200])
        for path in paths:
            if isinstance(path, str | bytes | Path) and not self._allowed(Path(os.fsdecode(path))):
                self.outside.append(f"{event} {path!r}"[:200])

    def _allowed(self, path: Path) -> bool:
        assert self.folder is not None
        full = os.path.abspath(path)
        return full.startswith((f"{self.folder}/", "/dev/null")) or full == str(self.folder) or "__pycache__" in full


def _full(path: Any, folder: int) -> str:
    """A path, which may begin at an open folder."""
    begin = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else "."
    return os.path.join(begin, os.fsdecode(path))


def try_file(kind: Kind, seed: int | None, folder: Path, watch: Watch) -> Outcome:
    """Make the bad file of a seed in a folder of its own, below ``folder``, and read it as the product does.

    Args:
        seed: None for the good file.
    """
    rng = random.Random(f"{kind.name} {seed}")
    place = folder / f"{kind.name}-{seed}"
    shutil.copytree(kind.good(folder), place)
    path = place / kind.file
    content = path.read_bytes()
    path.unlink()
    if seed is None:
        path.write_bytes(content)
    elif rng.random() < SHARE_OF_NO_FILES:
        no_file(path, rng)
    else:
        path.write_bytes(kind.damage(content, rng))
    try:
        return _read(kind, path, watch, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _read(kind: Kind, path: Path, watch: Watch, place: Path) -> Outcome:
    watch.folder, watch.outside = place, []
    try:
        with _limit(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            kind.read(path)
        outcome = Outcome("read")
    except QsynthError as error:
        message = str(error)
        fit = len(message) <= LONGEST and message.isprintable() and message
        outcome = Outcome("refused", message) if fit else Outcome("message", message)
    except HangError:
        outcome = Outcome("hang", _where(sys.exc_info()[2]))
    except Exception as error:
        outcome = Outcome(
            "traceback", f"{type(error).__name__}: {' '.join(str(error).split())[:200]} | {_where(error.__traceback__)}"
        )
    finally:
        watch.folder = None
    return Outcome("outside", watch.outside[0]) if watch.outside else outcome


def _where(trace: Any) -> str:
    """The innermost frames of the product."""
    frames = [each for each in traceback.extract_tb(trace) if any(f"/{name}/" in each.filename for name in PRODUCT)]
    return " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(frames[-4:]))


PRODUCT = ("qsynth", "rl_envs", "cluster")


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    def over(_signal: int, _frame: FrameType | None) -> None:
        raise HangError

    before = {each: signal.signal(each, over) for each in (signal.SIGALRM, signal.SIGPROF)}
    others = signal.setitimer(signal.ITIMER_REAL, LONGEST_WAIT)  # pytest's, of a test's time
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.setitimer(signal.ITIMER_REAL, *others)

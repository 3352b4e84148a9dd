"""How far long work is: a live display on a terminal, a line now and then elsewhere; always on stderr."""

import sys
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

SECONDS_BETWEEN_LINES = 10.0


class StudyProgress:
    """Shows the stages of a study; standard output is left to results.

    On a terminal every stage is a bar. Elsewhere a plain line is written at most every 10 s, and one when a stage is
    complete. Use as a context manager::

        with StudyProgress(enabled=True) as progress:
            stage = progress.stage("train agent", total=76_800)
            stage.update(1_280, iteration=1, score=0.41)

    Args:
        enabled: False shows nothing at all, notes included.
        listener: told of every update too: the stage, units done, and the status in words.
    """

    def __init__(self, enabled: bool, listener: Callable[["Stage", int, str], None] = lambda *_: None) -> None:
        self._listener = listener
        console = Console(stderr=True, highlight=False)
        self._console = console if enabled else None
        self._bars: Progress | None = None
        if enabled and sys.stderr.isatty() and console.is_interactive:
            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[status]}", markup=False),
                console=console,
                redirect_stdout=False,
            )
        self._last_line = -SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()

    def stage(self, name: str, total: int) -> "Stage":
        """Begin a stage of ``total`` units: sampled steps, runs, whatever its ``update`` counts."""
        bar = self._bars.add_task(name, total=total, status="") if self._bars is not None else None
        return Stage(self, name, total, bar)

    def note(self, text: str) -> None:
        """Write one line that stays, above any bars."""
        if self._console is not None:
            self._console.print(text, markup=False, soft_wrap=True)

    def show(self, stage: "Stage", done: int, status: str) -> None:
        """Show that ``done`` units of ``stage`` are done, if a display is on and a line is due."""
        self._listener(stage, done, status)
        complete = done >= stage.total
        if self._bars is not None and stage.bar is not None:
            self._bars.update(stage.bar, completed=done, status=status)
        elif complete or monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = monotonic()
            self.note(f"{stage.name}: {done / stage.total if stage.total else 1.0:.0%}, {status}")


class Stage:
    """One stage of a study, made by `StudyProgress.stage`."""

    def __init__(self, progress: StudyProgress, name: str, total: int, bar: TaskID | None) -> None:
        self.name = name
        self.total = total
        self.bar = bar
        self._progress = progress
        self._begun = monotonic()
        self._first: tuple[float, int] | None = None

    def update(self, done: int, *, iteration: int | None = None, score: float | None = None) -> None:
        """Say how far the stage is.

        Args:
            done: units done so far, of the stage's total.
            iteration: training iterations so far.
            score: mean composite score of late.
        """
        now = monotonic()
        parts = [f"{done:,}/{self.total:,}"]
        if iteration is not None:
            parts.append(f"iteration {iteration:,}")
        if score is not None:
            parts.append(f"score {score:.3f}")
        if done >= self.total:
            parts.append(f"took {_clock(now - self._begun)}")
        elif self._first is None:
            self._first = (now, done)  # a resumed stage begins above 0: its pace is known from the second update on
        elif done > self._first[1]:
            since, from_done = self._first
            parts.append(f"{_clock((now - since) * (self.total - done) / (done - from_done))} left")
        self._progress.show(self, done, "  ".join(parts))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"

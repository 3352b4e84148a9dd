"""What a fit says while it works, and what is kept of it."""

import sys
from collections.abc import Callable

Entry = dict[str, float]


class Diary:
    """Notes and evaluations of one fit, shown on standard error if wanted.

    Args:
        verbose: whether to show them; None: if standard error is a terminal.
        n_iterations: of the whole training.
        on_evaluation: is given each entry of the history.
    """

    def __init__(self, verbose: bool | None, n_iterations: int, on_evaluation: Callable[[Entry], None]) -> None:
        self._shows = sys.stderr.isatty() if verbose is None else verbose
        self._n_iterations, self._on_evaluation = n_iterations, on_evaluation
        self._line_open = False
        self.history: list[Entry] = []
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep one line, and show it."""
        self.notes.append(" ".join(text.split()))
        if self._shows:
            print(f"{self._ended()}qsynth: {self.notes[-1]}", file=sys.stderr)

    def tell(self, entry: Entry) -> None:
        """Keep one evaluation, pass it on, and show how far the training is."""
        self.history.append(entry)
        self._on_evaluation(entry)
        if self._shows:
            share = f"{entry['iteration']:.0f} of {self._n_iterations}"
            print(f"\rqsynth: iteration {share}, score {entry['score']:.3f}", end="", file=sys.stderr, flush=True)
            self._line_open = True

    def close(self) -> None:
        """Nothing more will be said."""
        print(self._ended(), end="", file=sys.stderr)

    def _ended(self) -> str:
        """The end of a line that has been begun."""
        open_, self._line_open = self._line_open, False
        return "\n" if open_ else ""

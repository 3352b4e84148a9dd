"""What a search by Ray Tune has tried so far, as a file: it is gone on with from there."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from qsynth.config import Config, parse
from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json


class SearchedTrial(Config):
    """A candidate that is over.

    Attributes:
        start: hyperparameter -> its value at the beginning.
        schedule: hyperparameter -> its value in each decision done; copies' origins included.
        score: mean over lanes of the best validation score of any decision.
        decisions: that it took; of a copy, without its origin's.
        circuits, shots: that all its lanes took.
    """

    start: dict[str, float]
    schedule: dict[str, tuple[float, ...]]
    score: float = Field(allow_inf_nan=False)
    decisions: int = Field(ge=0)
    circuits: int = Field(ge=0)
    shots: int = Field(ge=0)


class SearchedTrials(Config):
    """All of them, in the order in which they ended.

    Attributes:
        over: the budget that is used up, in decisions; 0: none yet.
    """

    format: Literal["qsynth-search-1"] = "qsynth-search-1"
    trials: tuple[SearchedTrial, ...] = ()
    over: int = Field(0, ge=0)

    @property
    def decisions(self) -> int:
        """That were spent."""
        return sum(each.decisions for each in self.trials)

    def best(self) -> SearchedTrial:
        """The one with the highest score; the first of equals.

        Raises:
            ValueError: there is none.
        """
        return max(self.trials, key=lambda each: each.score)

    def write(self, path: Path) -> None:
        """Keep them, whole or not at all.

        Raises:
            QsynthError: the file can't be written.
        """
        try:
            atomic_write_json(path, self.model_dump(mode="json"))
        except OSError as error:
            raise FileError(f"{path} can't be written: {error.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """What :meth:`write` kept; none where there is no file yet.

        Raises:
            QsynthError: it is something else.
        """
        return parse(cls, read_json(path), source=str(path)) if path.exists() else cls()

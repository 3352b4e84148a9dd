"""What a search by Ray Tune has tried so far, as a file: it is gone on with from there."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qsynth.config import Config, parse
from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json

Value = Annotated[float, Field(allow_inf_nan=False)]


class SearchedTrial(Config):
    """A candidate that is over.

    Attributes:
        start: hyperparameter -> its value at the beginning.
        schedule: hyperparameter -> its value in each decision done; copies' origins included.
        score: mean over lanes of the best validation score of any decision.
        decisions: that it took; of a copy, without its origin's.
        circuits, shots: that all its lanes took.
    """

    start: dict[str, Value]
    schedule: dict[str, tuple[Value, ...]]
    score: float = Field(allow_inf_nan=False)
    decisions: int = Field(ge=0)
    circuits: int = Field(ge=0)
    shots: int = Field(ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        lengths = {len(values) for values in self.schedule.values()}
        if len(lengths) != 1 or 0 in lengths or set(self.start) != set(self.schedule):
            raise ValueError("schedule must have as many values of every hyperparameter, at least one")
        return self


class SearchedTrials(Config):
    """All of them, in the order in which they ended.

    Attributes:
        over: the budget that is used up, in decisions; 0: none yet.
    """

    format: Literal["qsynth-search-1"] = "qsynth-search-1"
    trials: tuple[SearchedTrial, ...] = ()
    over: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _has_found(self) -> Self:
        if self.over and not self.trials:
            raise ValueError("trials must be there when the budget is used up")
        return self

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

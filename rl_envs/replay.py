"""What an agent did in one trial as a plain schedule, which needs no agent to be followed again."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from qsynth.config import Config, parse
from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json
from qsynth.space.hyperparameters import NAMES

LaneValues = dict[str, np.ndarray]


class ScheduleFile(Config):
    """Hyperparameters over a run, as JSON.

    Attributes:
        hyperparameters: name -> the value of each of a run's equal parts, as many for each name.
        source: what made it, for people.
    """

    format: Literal["qsynth-schedule-1"] = "qsynth-schedule-1"
    source: str = ""
    hyperparameters: dict[str, tuple[float, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> "ScheduleFile":
        lengths = {len(values) for values in self.hyperparameters.values()}
        if len(lengths) > 1 or 0 in lengths:
            raise ValueError("hyperparameters must have as many values each, at least one")
        if unknown := [name for name in self.hyperparameters if name not in NAMES]:
            raise ValueError(f"hyperparameters must be known; got {unknown[0]}")
        return self

    def write(self, path: Path) -> None:
        """Write the file whole or not at all.

        Raises:
            QsynthError: it can't be written.
        """
        try:
            atomic_write_json(path, self.model_dump(mode="json"), indent=1)
        except OSError as error:
            raise FileError(f"{path} can't be written: {error.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> "ScheduleFile":
        """Read what :meth:`write` wrote.

        Raises:
            QsynthError: no such file, or not a schedule.
        """
        try:
            values = read_json(path)
        except FileError as error:
            raise FileError(f"{path} must be a schedule's JSON file: {error}") from None
        return parse(cls, values, source=str(path))


class Replay:
    """The agent that follows schedules, whatever it sees.

    Args:
        files: of the same hyperparameters and length, one a lane (repeated when there are fewer than lanes).
    """

    name = "schedule"

    def __init__(self, *files: ScheduleFile) -> None:
        names = files[0].hyperparameters
        self._values = {name: np.array([file.hyperparameters[name] for file in files]) for name in names}

    def begin(self, n_lanes: int) -> LaneValues:
        """The first values."""
        return self._at(0.0, n_lanes)

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """The values of the part of the run that begins or goes on now."""
        return self._at(progress, len(observation))

    def _at(self, progress: float, n_lanes: int) -> LaneValues:
        return {
            # A decision's share of the run is inexact in its last bits.
            name: np.resize(values[:, min(int(progress * n_parts + 1e-9), n_parts - 1)], n_lanes)
            for name, values in self._values.items()
            for n_parts in values.shape[1:]
        }

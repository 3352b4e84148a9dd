"""A trial of Ray Tune as files: a snapshot of each lane, and what is known of all of them as JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from qsynth.config import Config, parse
from qsynth.errors import FileError
from qsynth.files.atomic import atomic_write_json
from qsynth.files.json_text import read_json
from qsynth.population.snapshot import Snapshot

STATE = "trial.json"


class TrialState(Config):
    """What a trial's networks do not tell.

    Attributes:
        decisions: done.
        best: best validation score of each lane.
        shots: that each lane has paid for.
        failed: why each lane ended before its time; "" where it goes on.
        circuits_total, shots_total: what all lanes took, back to the beginning of the networks.
        schedule: hyperparameter -> its value in each decision done.
    """

    format: Literal["qsynth-tune-1"] = "qsynth-tune-1"
    decisions: int = Field(ge=0)
    best: tuple[float, ...]
    shots: tuple[float, ...]
    failed: tuple[str, ...]
    circuits_total: int = Field(ge=0)
    shots_total: int = Field(ge=0)
    schedule: dict[str, tuple[float, ...]] = Field(default_factory=dict)


@dataclass(frozen=True)
class TrialFolder:
    """A checkpoint's content."""

    state: TrialState
    snapshots: tuple[Snapshot, ...]

    def write(self, folder: Path) -> None:
        """Write it, the state last.

        Raises:
            QsynthError: it can't be written.
        """
        for lane, snapshot in enumerate(self.snapshots):
            snapshot.save(_of_lane(folder, lane))
        try:
            atomic_write_json(folder / STATE, self.state.model_dump(mode="json"))
        except OSError as error:
            raise FileError(f"{folder / STATE} can't be written: {error.strerror}") from None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what :meth:`write` wrote.

        Raises:
            QsynthError: not such a folder.
        """
        path = folder / STATE
        state = parse(TrialState, read_json(path), source=str(path))
        return cls(state, tuple(Snapshot.load(_of_lane(folder, lane)) for lane in range(len(state.best))))


def _of_lane(folder: Path, lane: int) -> Path:
    return folder / f"lane-{lane}.safetensors"

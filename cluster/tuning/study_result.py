"""What a study found, and where its files are."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from cluster.comparison.comparison_result import ComparisonResult
from cluster.results.device_result import DeviceResult
from cluster.study.run_directory import RunDirectory
from cluster.system.files import read_json_object
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_json


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """A study's outcome.

    Attributes:
        run: the run's name.
        comparison: how the agent did against its rivals on held-out problems.
        paths: where things are, by what they are.
        training: what training the agent took, by what it is.
        device: what the stage on hardware found, in a study that has one.
    """

    run: str
    comparison: ComparisonResult
    paths: dict[str, str]
    training: dict[str, float]
    device: DeviceResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON values."""
        about = {"run": self.run, "paths": self.paths, "training": self.training}
        return about | {"device": self.device and asdict(self.device)} | self.comparison.to_dict()

    def write(self, run: RunDirectory) -> None:
        """Keep it in the run's folder; the comparison is there already."""
        atomic_write_json(run.result, self.to_dict())

    @classmethod
    def read(cls, run: RunDirectory) -> Self:
        """What :meth:`write` kept.

        Raises:
            QsynthError: a file is missing or damaged.
        """
        stored = read_json_object(run.result)
        try:
            device = TypeAdapter(DeviceResult | None).validate_python(stored["device"])
            return cls(
                run=stored["run"],
                comparison=ComparisonResult.read(run.comparison),
                paths=stored["paths"],
                training=stored["training"],
                device=device,
            )
        except (KeyError, ValidationError):
            raise QsynthError(f"{run.result} must hold a study's result") from None

"""What a study takes of a cluster."""

from typing import Self

from pydantic import Field, model_validator

from qsynth.config import Config
from qsynth.execution.place import Place


class Populations(Config):
    """One kind of population.

    Attributes:
        n_runners: populations side by side; left out: one a CPU, or one a GPU where they compute there.
        n_lanes: trials of a population.
        place: where populations compute.
        gpus_per_runner: share of a GPU that each population takes where they compute there.
    """

    n_runners: int | None = Field(None, ge=1, le=10_000)
    n_lanes: int = Field(32, ge=1, le=65_536)
    place: Place = "cpu"
    gpus_per_runner: float = Field(1.0, gt=0, le=1)


class Resources(Populations):
    """What a study takes of the cluster: populations of one kind, or of several side by side.

    Attributes:
        beside: further kinds, such as smaller populations on CPUs beside large ones on GPUs.
    """

    beside: tuple[Populations, ...] = Field((), max_length=8)

    @property
    def kinds(self) -> tuple[Populations, ...]:
        """All kinds."""
        return self, *self.beside

    @model_validator(mode="after")
    def _kinds_differ(self) -> Self:
        seen = {(each.place, each.n_lanes) for each in self.kinds}
        if len(seen) < len(self.kinds):
            raise ValueError("beside must name populations of another n_lanes or place than the others have")
        return self

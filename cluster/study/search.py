"""Who chooses a study's hyperparameters in an agent's place: a searcher and a scheduler of Ray Tune."""

from importlib.util import find_spec
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from qsynth.config import Config
from qsynth.errors import QsynthError, shown

Searcher = Literal["random", "tpe", "gp", "cma-es"]
Scheduler = Literal["none", "asha", "hyperband", "median", "pbt", "pb2"]
SEARCHERS: tuple[str, ...] = get_args(Searcher)
SCHEDULERS: tuple[str, ...] = get_args(Scheduler)[1:]
MUTATING = ("pbt", "pb2")  # they draw values themselves
STOPPING = ("asha", "hyperband", "median")  # they end trials before their time
NEEDED = {"tpe": ("optuna",), "gp": ("optuna",), "cma-es": ("optuna", "cmaes")}  # searcher -> libraries
PAUSING = (*MUTATING, "hyperband")  # they compare trials that take turns


class Search(Config):
    """A search over training instances, for the values that a study's trials then have throughout, or decision by
    decision where the scheduler moves them. As text: a searcher, a scheduler, or both, as in ``tpe+asha``.

    Attributes:
        lanes_per_trial: training instances that every candidate meets, as lanes of one process; their mean counts.
    """

    searcher: Searcher = "random"
    scheduler: Scheduler = "none"
    lanes_per_trial: int = Field(16, ge=1, le=4096)

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parts = value.split("+")
        searchers = [part for part in parts if part in SEARCHERS]
        schedulers = [part for part in parts if part in SCHEDULERS]
        if len(searchers) > 1 or len(schedulers) > 1 or len(searchers) + len(schedulers) < len(parts):
            raise ValueError(
                f"must be a searcher ({', '.join(SEARCHERS)}), a scheduler ({', '.join(SCHEDULERS)}), or both, as in "
                f"tpe+asha; got {shown(value)}"
            )
        return {"searcher": [*searchers, "random"][0], "scheduler": [*schedulers, "none"][0]}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.scheduler in MUTATING and self.searcher != "random":
            raise ValueError(f"must be {self.scheduler} alone, which draws values itself; got {self.name}")
        return self

    def check(self) -> None:
        """Find out whether its libraries are here.

        Raises:
            QsynthError: one is missing.
        """
        for library in NEEDED.get(self.searcher, ()):
            if find_spec(library) is None:
                raise QsynthError(f"search {self.name} needs {library}; install it with: pip install 'qsynth[compare]'")

    @property
    def name(self) -> str:
        """As text."""
        if self.scheduler == "none":
            return self.searcher
        return self.scheduler if self.searcher == "random" else f"{self.searcher}+{self.scheduler}"

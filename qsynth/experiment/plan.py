"""An experiment as a file: data sets, regimes, arms, seeds and settings, fixed before it runs."""

from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from qsynth.config import Config, parse
from qsynth.data.sources import DataConfig
from qsynth.data.tabular import PartitionedTable
from qsynth.errors import FileError, QsynthError, did_you_mean
from qsynth.experiment.arms import BARS, ORACLES, Arm, find_arm
from qsynth.experiment.regime import AnyRegime
from qsynth.files.yaml_file import read_yaml
from qsynth.qnn.fit import QNNConfig

PRESETS = files("qsynth.experiment") / "presets"
SUFFIX = ".yaml"


class ExperimentPlan(Config):
    """What runs.

    Attributes:
        data: data sets by name; tables with classes.
        regimes: how many real rows there are.
        arms: names; those of real rows, which all are compared with, and the oracles are always there.
        n_seeds: draws of the real rows, each with its own synthetic rows; QNN starts are the same for all.
        qnn: whose accuracy counts.
        n_synthetic: rows of each synthesizer, every class alike.
        share: of the weight, that synthetic rows have in the QNN's fit.
    """

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][\w.\-]*$")
    data: dict[str, DataConfig] = Field(min_length=1, max_length=100)
    regimes: tuple[AnyRegime, ...] = Field(min_length=1, max_length=100)
    arms: tuple[str, ...] = Field(max_length=100)
    n_seeds: int = Field(10, ge=2, le=1000)
    first_seed: int = Field(0, ge=0, le=1_000_000)
    qnn: QNNConfig = QNNConfig(n_steps=100)
    n_synthetic: int = Field(200, ge=2, le=10_000)
    share: float = Field(0.5, gt=0, lt=1)

    @field_validator("data")
    @classmethod
    def _tables(cls, data: dict[str, DataConfig]) -> dict[str, DataConfig]:
        for name, source in data.items():
            if not isinstance(source, PartitionedTable):
                raise ValueError(f"{name} must be a table; got kind {getattr(source, 'kind', '?')}")
            if "/" in name or name.startswith("."):
                raise ValueError(f"a data set's name must be a file's; got {name!r}")
        return data

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in self.arms:
            try:
                find_arm(name)
            except QsynthError as error:
                raise ValueError(f"arms: {error}") from None
        titles = [regime.title for regime in self.regimes]
        if len(set(titles)) < len(titles):
            raise ValueError(f"regimes must differ; got {', '.join(titles)}")
        return self

    @property
    def seeds(self) -> range:
        """Of the draws."""
        return range(self.first_seed, self.first_seed + self.n_seeds)

    def all_arms(self) -> list[Arm]:
        """Those that everybody is compared with, and those named."""
        return [find_arm(name) for name in dict.fromkeys((*BARS, *ORACLES, *self.arms))]


def load_plan(name: str) -> ExperimentPlan:
    """A preset's name, or a YAML file.

    Raises:
        QsynthError: there is neither, or it can't be used.
    """
    if name in presets():
        return parse(ExperimentPlan, read_yaml(Path(str(PRESETS / f"{name}{SUFFIX}"))), source=name)
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        raise FileError(f"an experiment must be a preset or a YAML file; got {name!r}.{did_you_mean(name, presets())}")
    plan = parse(ExperimentPlan, read_yaml(path), source=str(path))
    return plan.replaced(data={key: _below(source, path.parent) for key, source in plan.data.items()})


def presets() -> list[str]:
    """Names of the experiments that qsynth brings."""
    return sorted(entry.name.removesuffix(SUFFIX) for entry in PRESETS.iterdir() if entry.name.endswith(SUFFIX))


def _below(source: DataConfig, folder: Path) -> DataConfig:
    below = getattr(source, "below", None)
    return source if below is None else below(folder)

"""A study: one tuning job as a file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from cluster.study.hardware import HardwareConfig
from cluster.study.placement import Placement
from cluster.study.ppo_config import PPOConfig
from cluster.study.resources import Populations, Resources
from cluster.study.search import Search
from cluster.study.unwritten import completed
from qsynth.circuits.engine import machine_bytes
from qsynth.circuits.statevector import human_bytes
from qsynth.config import Config, parse
from qsynth.data.dataset import Instance
from qsynth.data.sources import DataConfig
from qsynth.data.tabular import CsvData
from qsynth.errors import MemoryLimitError, QsynthError, StudyError
from qsynth.execution.place import gpu_bytes
from qsynth.files.shipped import Shipped
from qsynth.files.yaml_file import read_yaml
from qsynth.population.memory import population_bytes
from qsynth.population.trial import TrialConfig
from rl_envs.config import EnvironmentConfig
from rl_envs.encoding import Encoding
from rl_envs.pretrained import card
from rl_envs.tuner import EpisodeConfig

PRESETS = Shipped("qsynth", "presets", ".yaml")
MIN_COMPILED = 50_000
PROCESS_BYTES = 600 << 20  # of a population without what grows with its lanes: interpreter, torch, PennyLane, Ray


class Budget(Config):
    """What a study spends, in trials; one trial is n_decisions x iterations_per_decision GAN iterations.

    Attributes:
        agent_trials: trials that the agent trains on, or a search.
        search_share: what each tuned rival (constants, decay) may spend, as a share of ``agent_trials``.
        held_out: problems that the agent and its rivals are compared on.
        random_runs: the larger budget on each of them, in runs, of which the best is returned; the smaller one is one.
    """

    agent_trials: int = Field(3000, ge=1, le=1_000_000_000)
    search_share: float = Field(1.0, gt=0, le=10)
    held_out: int = Field(32, ge=1, le=10_000)
    random_runs: int = Field(8, ge=1, le=1000)

    @property
    def search_trials(self) -> int:
        """Trials that each tuned rival may spend."""
        return max(64, int(self.agent_trials * self.search_share))

    @property
    def n_trials(self) -> int:
        """All trials: the agent's, two tuned rivals', and on each held-out problem those of five rivals, of what they
        return with two budgets trained again, of four ablations, five once more to be shown, and the twin's."""
        return self.agent_trials + 2 * self.search_trials + self.held_out * (5 * self.random_runs + 5 * 2 + 4 + 5 + 1)


class Study(Config):
    """Everything that ``qsynth tune`` needs to know.

    Attributes:
        search: who searches for values in the agent's place, within the budget of its training; None: the agent.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    data: DataConfig
    trial: TrialConfig
    episode: EpisodeConfig = EpisodeConfig()
    n_instances: int = Field(64, ge=1, le=100_000)
    agent: PPOConfig = PPOConfig()
    search: Search | None = None
    budget: Budget = Budget()
    resources: Resources = Resources()
    compiled: bool | None = None
    hardware: HardwareConfig | None = None
    n_synthetic: int = Field(1000, ge=1, le=10_000_000)

    @model_validator(mode="before")
    @classmethod
    def _unwritten(cls, values: Any) -> Any:
        return completed(values)

    @model_validator(mode="after")
    def _searches_something(self) -> Self:
        if not self.trial.search_space:
            raise ValueError("trial.search_space must name at least one hyperparameter to tune")
        return self

    @property
    def iterations_per_run(self) -> int:
        """GAN iterations of a trial."""
        return self.episode.n_decisions * self.episode.iterations_per_decision

    def defaults(self) -> dict[str, float]:
        """The defaults of the hyperparameters that may be tuned."""
        return {name: self.trial.default(name) for name in self.trial.search_space}

    def local_sizes(self) -> dict[Placement, int]:
        """Populations of each kind on this machine: the study's wish, or one a CPU."""
        return _here(self.placements())

    def check(self) -> None:
        """Find out what is wrong with the data, or with running here, before any work.

        Raises:
            QsynthError: the data can't be read or used, has too many features, or memory is short.
        """
        instance = self.check_data()
        self.check_start()
        if self.search is not None:
            self.search.check()
        self._check_memory(instance)

    def check_data(self) -> Instance:
        """Find out what is wrong with the data, wherever the study is to run; returns an instance, as all are alike.

        Raises:
            QsynthError: the data can't be read or used, or has too many features.
        """
        instance = self.data.instance(0, held_out=True)
        self.trial.check_outputs(instance.n_features)
        try:
            self.trial.score.measured(instance.n_classes)
        except StudyError as error:
            raise StudyError(f"trial.{error}") from None
        if self.hardware is not None:
            self.hardware.check(self.trial)
        return instance

    def check_start(self) -> None:
        """Find out whether the agent to start from, if there is one, can tune this study.

        Raises:
            QsynthError: no such agent, or it has no action that the study has.
        """
        if self.agent.start is None:
            return
        file, actions = card(self.agent.start), self.environment(compiled=False).actions
        try:
            Encoding(file.features, file.search_space, file.features, actions, file.max_step)
        except QsynthError as error:
            raise StudyError(f"agent.start {self.agent.start}: {error}") from None

    def placements(self) -> tuple[Placement, ...]:
        """What each population of each kind occupies, and how many are wanted."""
        return self._placements(self.data.instance(0, held_out=True))

    def _placements(self, instance: Instance) -> tuple[Placement, ...]:
        return tuple(self._placement(kind, instance) for kind in self.resources.kinds)

    def _placement(self, kind: Populations, instance: Instance) -> Placement:
        on_gpu = kind.place == "cuda"
        growing = 0 if on_gpu else self.population_bytes(instance, kind.n_lanes)
        return Placement(
            place=kind.place,
            n_lanes=kind.n_lanes,
            gpus=kind.gpus_per_runner if on_gpu else 0.0,
            qpus=int(self.trial.engine.needs_qpu),
            memory=PROCESS_BYTES + growing,
            most=kind.n_runners,
        )

    def population_bytes(self, instance: Instance, n_lanes: int) -> int:
        """Memory of circuits' states and networks in one population, at most."""
        return population_bytes(self.trial, instance.n_features, instance.n_classes, len(instance.train), n_lanes)

    def _check_memory(self, instance: Instance) -> None:
        for kind, count in _here(self._placements(instance)).items():
            needed, present = self.population_bytes(instance, kind.n_lanes), machine_bytes()
            if kind.gpus:
                present = gpu_bytes() or needed
            else:
                needed *= count
            if needed > present:
                fitting = int(kind.n_lanes * present / needed)
                advice = f"resources.n_lanes to {fitting}" if fitting else "trial.n_qubits or trial.capacity"
                raise MemoryLimitError(
                    f"populations of {kind.describe()} on {self.trial.n_qubits} qubits take about "
                    f"{human_bytes(needed)} of this machine's {human_bytes(present)}; lower {advice}"
                )

    def environment(self, compiled: bool) -> EnvironmentConfig:
        """The environment of its trials."""
        return EnvironmentConfig(
            data=self.data,
            trial=self.trial,
            episode=self.episode,
            n_instances=self.n_instances,
            compiled=compiled,
            place=self.resources.place,
        )


def _here(placements: tuple[Placement, ...]) -> dict[Placement, int]:
    return {each: each.most or os.cpu_count() or 1 for each in placements}


def changed(study: Study, changes: Mapping[str, Any]) -> Study:
    """The study with dotted settings replaced; None leaves a setting as it is.

    Raises:
        QsynthError: no such setting, or a value that it can't have.
    """
    values = study.model_dump(mode="json")
    for path, value in changes.items():
        if value is not None:
            *parents, last = path.split(".")
            target: Any = values
            for parent in parents:
                target = target.get(parent)
                if not isinstance(target, dict):
                    raise StudyError(f"{study.name} must have a setting {path}; it has no {parent}")
            target[last] = value
    return parse(Study, values, source=study.name)


def presets() -> dict[str, Path]:
    """Studies that ship with the package, name -> file."""
    return PRESETS.files()


def load_study(name_or_path: str) -> Study:
    """A preset by name, or a study file by path.

    Raises:
        QsynthError: neither, or an invalid study; or its table is not where :func:`read_study` looks for it, but at the
            same path from the working directory.
    """
    path = PRESETS.find(name_or_path, "STUDY must be a preset or a YAML file")
    written = parse(Study, completed(read_yaml(path), path.parent), source=path.name)
    study = _located(written, path.parent)
    if isinstance(study.data, CsvData) and isinstance(written.data, CsvData):
        expected, other = study.data.file, written.data.file.absolute()
        if os.path.isfile(other) and not os.path.isfile(expected):
            raise QsynthError(
                f"{path.name}: data.path must be relative to the study file's folder: {expected} is looked for, and "
                f"{other} is there. Move it, or write that path."
            )
    return study


def study_name(name_or_path: str) -> str:
    """The name of the study that :func:`load_study` loads, though its table be gone.

    Raises:
        QsynthError: no such study, or an invalid one.
    """
    path = PRESETS.find(name_or_path, "STUDY must be a preset or a YAML file")
    return read_study(path, path.name).name


def read_study(path: Path, source: str) -> Study:
    """The study in a file. Its table's path, unless it is absolute, begins at the file's folder.

    Args:
        source: what messages call it.

    Raises:
        QsynthError: it can't be read, or is invalid.
    """
    return _located(parse(Study, completed(read_yaml(path), path.parent), source=source), path.parent)


def _located(study: Study, folder: Path) -> Study:
    return study.replaced(data=study.data.below(folder)) if isinstance(study.data, CsvData) else study

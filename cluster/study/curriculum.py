"""A curriculum: what a transferable agent is trained on, as a file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from cluster.study.placement import Placement
from cluster.study.ppo_config import PPOConfig
from cluster.study.study import PROCESS_BYTES, Study, changed, load_study
from qsynth.config import Config, parse
from qsynth.files.shipped import Shipped
from qsynth.files.yaml_file import read_yaml
from qsynth.population.snapshot import Keep
from rl_envs.config import EnvironmentConfig
from rl_envs.curriculum import CurriculumConfig
from rl_envs.observation import without_feedback
from rl_envs.pretrained import card
from rl_envs.retired import without_retired
from rl_envs.reward import BestGain, ShortfallGain

CURRICULA = Shipped("cluster", "curricula", ".yaml")
# Names of metrics are made of them, which MLflow is particular about.
TaskName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,63}$")]


class Task(Config):
    """A study whose trials are trained on.

    Attributes:
        study: a preset, or a study's file.
        changes: dotted settings of the study, and what they are replaced with, after those of the curriculum.
        after: share of the trials after which it joins: dear tasks may wait until the agent has learned cheap ones.
    """

    study: str
    changes: dict[str, Any] = Field(default_factory=dict)
    after: float = Field(0.0, ge=0, lt=1)

    def load(self, common: Mapping[str, Any]) -> Study:
        """The study as the task wants it.

        Args:
            common: changes of all the curriculum's studies.

        Raises:
            QsynthError: no such study, or a change that it does not take.
        """
        return changed(changed(load_study(self.study), common), self.changes)


class Tier(NamedTuple):
    """A part of a curriculum in which the same tasks are trained on.

    Attributes:
        trials: all its tasks together.
    """

    tasks: tuple[str, ...]
    trials: int


class Curriculum(Config):
    """Everything that ``qsynth pretrain`` needs to know.

    Attributes:
        changes: dotted settings of all its studies, and what they are replaced with.
        n_decisions, max_step, random_start: of every task's episodes (:class:`rl_envs.tuner.EpisodeConfig`); an agent
            that training goes on from keeps its own max_step.
        keep: what a trial leaves behind, and is rewarded and examined by: its best decision, or its last.
        n_instances: training instances of each task.
        n_validation: further instances of each task that the agent is examined on, and chosen by.
        trials: that the agent trains on, all tasks together.
        observes: what the agent sees: ``everything``; or the ``problem``, that is what is known of it before any
            training, the budget that is left and its own hyperparameters, so that it learns a schedule for each
            problem, without feedback. An agent that training goes on from sees what it saw.
        agent: how it learns; with ``start`` it goes on from another agent, as in a curriculum of several steps.
        examine_every: iterations between examinations.
        patience: examinations without a better one after which training stops.
        n_lanes: trials of a population, all tasks together.
        n_runners: populations; left out: one a CPU.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    description: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    tasks: dict[TaskName, Task] = Field(min_length=1, max_length=64)
    changes: dict[str, Any] = Field(default_factory=dict)
    n_decisions: int = Field(15, ge=1, le=10_000)
    max_step: float = Field(0.15, gt=0, le=1)
    random_start: float = Field(0.25, ge=0, le=1)
    keep: Keep = "best"
    n_instances: int = Field(512, ge=1, le=100_000)
    n_validation: int = Field(8, ge=1, le=1024)
    trials: int = Field(20_000, ge=1, le=1_000_000_000)
    examine_every: int = Field(10, ge=1, le=1_000_000)
    patience: int = Field(10, ge=1, le=1_000_000)
    n_lanes: int = Field(64, ge=1, le=65_536)
    n_runners: int | None = Field(None, ge=1, le=10_000)
    observes: Literal["everything", "problem"] = "everything"
    agent: PPOConfig = PPOConfig()

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, values: Any) -> Any:
        return without_retired(values, "demonstrations", 0, "agents that begin by imitating simple baselines")

    @model_validator(mode="after")
    def _a_lane_for_each_task(self) -> Self:
        if self.n_lanes < len(self.tasks):
            raise ValueError(f"n_lanes must be at least the number of tasks, {len(self.tasks)}; got {self.n_lanes}")
        if all(task.after for task in self.tasks.values()):
            raise ValueError("tasks must begin with one whose after is 0")
        return self

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Parts of the training, in order; tasks that have joined stay."""
        begins = sorted({task.after for task in self.tasks.values()})
        return tuple(
            Tier(
                tuple(name for name, task in self.tasks.items() if task.after <= begin),
                round(self.trials * end) - round(self.trials * begin),
            )
            for begin, end in zip(begins, [*begins[1:], 1.0], strict=True)
        )

    def studies(self) -> dict[str, Study]:
        """Task -> study.

        Raises:
            QsynthError: one is missing or invalid.
        """
        return {name: task.load(self.changes) for name, task in self.tasks.items()}

    def environment(self, compiled: bool) -> CurriculumConfig:
        """The environment of its trials.

        Raises:
            QsynthError: studies that can't be learned side by side.
        """
        start = None if self.agent.start is None else card(self.agent.start)
        max_step = self.max_step if start is None else start.max_step
        tasks = {name: self._task(study, compiled, max_step) for name, study in self.studies().items()}
        if start is not None:
            going_on = {"tasks": tasks, "known": start.search_space, "seen": start.features}
            return parse(CurriculumConfig, going_on, source=self.name)
        made = parse(CurriculumConfig, {"tasks": tasks}, source=self.name)
        return made if self.observes == "everything" else made.replaced(seen=tuple(without_feedback(made.features)))

    def _task(self, study: Study, compiled: bool, max_step: float) -> EnvironmentConfig:
        episode = study.episode.replaced(
            n_decisions=self.n_decisions,
            max_step=max_step,
            random_start=self.random_start,
            reward=BestGain() if self.keep == "best" else ShortfallGain(),
        )
        return study.environment(compiled).replaced(episode=episode, n_instances=self.n_instances)

    def check(self) -> None:
        """Find out what is wrong with any task, before any work.

        Raises:
            QsynthError: a study or its data can't be used, or tasks don't go together.
        """
        for study in self.studies().values():
            changed(study, {"agent.start": self.agent.start}).check()
        self.environment(compiled=False)

    def placement(self) -> Placement:
        """What each population occupies."""
        n_lanes = -(-self.n_lanes // len(self.tasks))
        growing = sum(
            each.population_bytes(each.data.instance(0, held_out=False), n_lanes) for each in self.studies().values()
        )
        return Placement(
            place="cpu", n_lanes=self.n_lanes, gpus=0.0, qpus=0, memory=PROCESS_BYTES + growing, most=self.n_runners
        )


def load_curriculum(name_or_path: str) -> Curriculum:
    """A shipped curriculum by name, or a curriculum's file by path.

    Raises:
        QsynthError: neither, or not a curriculum.
    """
    path = CURRICULA.find(name_or_path, f"CURRICULUM must be {' or '.join(CURRICULA.files())} or a YAML file")
    return parse(Curriculum, read_yaml(path), source=path.name)

"""Training an agent on a curriculum, so that it can tune studies that it has never seen."""

from dataclasses import asdict, dataclass
from typing import Any

import yaml

from cluster.machines.share import ClusterShare
from cluster.study.curriculum import Curriculum, Tier
from cluster.study.placement import describe_sizes
from cluster.study.run_directory import RunDirectory
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.tracker import Tracker
from cluster.training.agent_trainer import AgentTrainer, Progress
from cluster.training.checkpoints import Checkpoint, CheckpointStore
from cluster.training.examination import Examination
from cluster.training.kept_agent import is_whole
from cluster.training.pretraining_state import ExaminationResult, PretrainingState
from cluster.training.training_loop import TrainingLoop
from qsynth.files.atomic import atomic_write_text
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import PolicyFile, PolicyNetwork, load_policy
from rl_envs.pretrained import agent_file

CHECKPOINT_SECONDS = 60.0
STEP_SECONDS = 60.0  # at most, of one decision in all tasks; RLlib's patience derives from it


@dataclass(kw_only=True)
class Pretraining:
    """One run of a curriculum on a Ray session that is up already.

    Attributes:
        run: its folder; the agent there is the best one so far.
        guard: whether somebody asked to stop; looked at between iterations.
    """

    curriculum: Curriculum
    run: RunDirectory
    tracker: Tracker
    progress: StudyProgress
    guard: InterruptGuard

    def execute(self, compiled: bool) -> dict[str, Any]:
        """Train until the trials are spent, or the agent gets no better.

        Returns:
            What is written in the agent's file about it.

        Raises:
            Interrupted: a signal came; a resume goes on from the last checkpoint.
        """
        curriculum, name = self.curriculum, self.run.path.name
        environment = curriculum.environment(compiled)
        atomic_write_text(self.run.curriculum_file, yaml.safe_dump(curriculum.model_dump(mode="json"), sort_keys=False))
        share = ClusterShare(name, [curriculum.placement()])
        self.progress.note(f"{describe_sizes(share())}, {len(curriculum.tasks)} tasks each; {self.run.path}")
        self.tracker.start_study({"curriculum": curriculum.name}, {"description": curriculum.description})
        store = CheckpointStore(self.run.checkpoints, attempt_lock=self.tracker.attempt_lock)
        last = store.latest()
        start, file = self._start()
        state = PretrainingState.fresh(file) if last is None else PretrainingState.of(last.state["run"])
        if state.best() is not None and not is_whole(self.run.agent, self.progress):
            state.forget()
        for number, tier in enumerate(curriculum.tiers):
            if number >= state.tier:
                start = self._train(number, tier, environment.only(tier.tasks), share, store, state, last, start)
                last = None
        return state.about

    def _start(self) -> tuple[PolicyNetwork, PolicyFile] | tuple[None, None]:
        """The agent that training goes on from; Nones for a new one."""
        start = self.curriculum.agent.start
        return (None, None) if start is None else load_policy(agent_file(start))

    def _train(
        self,
        number: int,
        tier: Tier,
        environment: CurriculumConfig,
        share: ClusterShare,
        store: CheckpointStore,
        state: PretrainingState,
        last: Checkpoint | None,
        start: PolicyNetwork | None,
    ) -> PolicyNetwork:
        """One tier of the curriculum, from the ``last`` checkpoint in it or from its beginning on; the policy then."""
        curriculum = self.curriculum
        if last is None:
            state.begin(number)
        examination = Examination(environment, curriculum.n_validation, curriculum.keep)
        self.progress.note(f"defaults: {_words(examination.defaults)}")
        total = tier.trials * curriculum.n_decisions
        which = f", tier {number + 1} of {len(curriculum.tiers)}" if len(curriculum.tiers) > 1 else ""
        stage = self.progress.stage(f"train agent{which}", total)
        seed = curriculum.seed + number
        trainer = AgentTrainer(curriculum.agent, environment, share(), STEP_SECONDS, seed, self.run.path.name, start)
        before = state.trials
        try:

            def on_iteration(iteration: Progress) -> None:
                state.core_seconds += iteration.seconds * sum(trainer.sizes.values())
                step = before * curriculum.n_decisions + iteration.sampled_steps
                self.tracker.log(iteration.metrics(), step=step)
                if iteration.iteration % curriculum.examine_every == 0 or trainer.sampled_steps >= total:
                    self._examine(examination, trainer, environment, state)

            loop = TrainingLoop(
                trainer=trainer,
                total=total,
                share=share,
                store=store,
                checkpoint_seconds=CHECKPOINT_SECONDS,
                state=lambda: {"run": asdict(state)},
                stage=stage,
                progress=self.progress,
                guard=self.guard,
            )
            loop.run(last, on_iteration, lambda: state.stale(curriculum.patience))
            if state.best() is None:  # the best agent's file was lost after the last examination
                self._examine(examination, trainer, environment, state)
            network = trainer.network()
        finally:
            trainer.stop()
        state.trials += trainer.trials
        state.iterations += trainer.trials * _iterations_per_trial(environment)
        return network

    def _examine(
        self, examination: Examination, trainer: AgentTrainer, environment: CurriculumConfig, state: PretrainingState
    ) -> None:
        """Examine the agent, and keep it if it is the best so far."""
        trials = state.trials + trainer.trials
        scores = examination.scores(trainer.network())
        metrics = {f"examination/{name}": score for name, score in scores.items()}
        self.tracker.log(metrics, step=trials * self.curriculum.n_decisions)
        self.progress.note(f"examined after {trials:,} trials: {_words(scores)}")
        best, result = state.best(), ExaminationResult(trials, scores)
        state.examined.append(result)
        if best is not None and result.total <= best:
            return
        curriculum = self.curriculum
        state.about = {
            "name": curriculum.name,
            "description": curriculum.description,
            "tasks": {name: task.model_dump(mode="json") for name, task in curriculum.tasks.items()},
            "trials": trials,
            "iterations": round(state.iterations + trainer.trials * _iterations_per_trial(environment)),
            "start": curriculum.agent.start,
            "core_hours": round(state.core_seconds / 3600, 3),
            "keep": curriculum.keep,
            "observes": curriculum.observes,
            "changes": curriculum.changes,
            "validation": scores,
            "validation_defaults": examination.defaults,
        }
        trainer.export(self.run.agent, environment.features, state.about)


def _iterations_per_trial(environment: CurriculumConfig) -> float:
    """GAN iterations of a trial, in the mean over the tasks."""
    per_decision = [task.episode.iterations_per_decision for task in environment.tasks.values()]
    return environment.episode.n_decisions * sum(per_decision) / len(per_decision)


def _words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {score:.3f}" for name, score in scores.items())

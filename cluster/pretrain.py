"""Training an agent on a curriculum, so that it can tune studies that it has never seen."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.checkpoints import CheckpointStore
from cluster.curriculum import Curriculum
from cluster.examination import Examination
from cluster.files import atomic_write_text
from cluster.interrupt import InterruptGuard
from cluster.placement import in_words
from cluster.ppo import AgentTrainer, Progress
from cluster.progress import StudyProgress
from cluster.share import Share
from cluster.tracking import Tracker
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import load_policy
from rl_envs.pretrained import agent_file

CHECKPOINT_SECONDS = 60.0
STEP_SECONDS = 60.0  # at most, of one decision in all tasks; RLlib's patience derives from it


@dataclass
class Pretraining:
    """One run of a curriculum on a Ray session that is up already.

    Attributes:
        folder: the run's; it has ``agent.safetensors``, the best agent so far, and checkpoints to go on from.
        guard: whether somebody asked to stop; looked at between iterations.
    """

    curriculum: Curriculum
    folder: Path
    tracker: Tracker
    progress: StudyProgress
    guard: InterruptGuard

    @property
    def agent(self) -> Path:
        """The best agent so far."""
        return self.folder / "agent.safetensors"

    def execute(self, compiled: bool) -> dict[str, Any]:
        """Train until the trials are spent, or the agent gets no better.

        Returns:
            What is written in the agent's file about it.

        Raises:
            Interrupted: a signal came; a resume goes on from the last checkpoint.
        """
        curriculum, run = self.curriculum, self.folder.name
        environment = curriculum.environment(compiled)
        atomic_write_text(
            self.folder / "curriculum.yaml", yaml.safe_dump(curriculum.model_dump(mode="json"), sort_keys=False)
        )
        share = Share(run, [curriculum.placement()])
        sizes = share()
        self.progress.note(f"{in_words(sizes)}, {len(curriculum.tasks)} tasks each; {self.folder}")
        self.tracker.start_study({"curriculum": curriculum.name}, {"description": curriculum.description})
        examination = Examination(environment, curriculum.n_validation)
        self.progress.note(f"defaults: {_words(examination.defaults)}")
        store = CheckpointStore(self.folder / "checkpoints", fence=self.tracker.fence)
        last = store.latest()
        state: dict[str, Any] = {"seconds": 0.0, "examined": [], "about": {}} if last is None else last.state["run"]
        total = curriculum.trials * curriculum.n_decisions
        stage = self.progress.stage("train agent", total)
        seed = curriculum.seed + 1009 * self.tracker.fence.attempt
        start = None if curriculum.agent.start is None else load_policy(agent_file(curriculum.agent.start))[0]
        trainer = AgentTrainer(curriculum.agent, environment, sizes, STEP_SECONDS, seed, run, start)
        try:
            if last is not None:
                trainer.restore(last.path, last.state)
                self.progress.note(f"resumed at {trainer.sampled_steps:,} sampled steps")
            saved_at = time.monotonic()
            while trainer.sampled_steps < total and not self._stale(state):
                progress = trainer.train()
                state["seconds"] += progress.seconds
                self._log(progress)
                stage.update(
                    min(progress.sampled_steps, total), iteration=progress.iteration, score=progress.mean_score
                )
                if progress.iteration % curriculum.examine_every == 0 or trainer.sampled_steps >= total:
                    self._examine(examination, trainer, environment, state)
                ending = self.guard.requested is not None or trainer.sampled_steps >= total or self._stale(state)
                if ending or time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                    store.save(trainer.save, trainer.counters() | {"run": state})
                    saved_at = time.monotonic()
                self.guard.check()
                if (allowed := share()) != trainer.sizes:
                    self.progress.note(f"from now on {in_words(allowed)}")
                    trainer.resize(allowed)
        finally:
            trainer.stop()
        about: dict[str, Any] = state["about"]
        return about

    def _stale(self, state: dict[str, Any]) -> bool:
        """Whether the last examinations brought nothing better."""
        means = [sum(each["scores"].values()) for each in state["examined"]]
        return bool(means) and len(means) - 1 - means.index(max(means)) >= self.curriculum.patience

    def _log(self, progress: Progress) -> None:
        self.tracker.log(progress.metrics(), step=progress.sampled_steps)

    def _examine(
        self, examination: Examination, trainer: AgentTrainer, environment: CurriculumConfig, state: dict[str, Any]
    ) -> None:
        """Examine the agent, and keep it if it is the best so far."""
        scores = examination.scores(trainer.network())
        self.tracker.log({f"examination/{name}": score for name, score in scores.items()}, step=trainer.sampled_steps)
        self.progress.note(f"examined after {trainer.trials:,} trials: {_words(scores)}")
        before = [sum(each["scores"].values()) for each in state["examined"]]
        state["examined"].append({"trials": trainer.trials, "scores": scores})
        if before and sum(scores.values()) <= max(before):
            return
        curriculum = self.curriculum
        per_trial = {
            name: curriculum.n_decisions * task.episode.iterations_per_decision
            for name, task in environment.tasks.items()
        }
        state["about"] = {
            "name": curriculum.name,
            "description": curriculum.description,
            "tasks": {name: task.model_dump(mode="json") for name, task in curriculum.tasks.items()},
            "trials": trainer.trials,
            "iterations": round(trainer.trials * sum(per_trial.values()) / len(per_trial)),
            "start": curriculum.agent.start,
            "core_hours": round(state["seconds"] * sum(trainer.sizes.values()) / 3600, 3),
            "validation": scores,
            "validation_defaults": examination.defaults,
        }
        trainer.export(self.agent, environment.features, state["about"])


def _words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {score:.3f}" for name, score in scores.items())

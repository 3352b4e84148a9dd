"""Training an agent on a curriculum, so that it can tune studies that it has never seen."""

from dataclasses import dataclass
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
from cluster.run_directory import RunDirectory
from cluster.share import Share
from cluster.tracking import Tracker
from cluster.training_loop import TrainingLoop
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import load_policy
from rl_envs.pretrained import agent_file

CHECKPOINT_SECONDS = 60.0
STEP_SECONDS = 60.0  # at most, of one decision in all tasks; RLlib's patience derives from it


@dataclass
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
        share = Share(name, [curriculum.placement()])
        sizes = share()
        self.progress.note(f"{in_words(sizes)}, {len(curriculum.tasks)} tasks each; {self.run.path}")
        self.tracker.start_study({"curriculum": curriculum.name}, {"description": curriculum.description})
        examination = Examination(environment, curriculum.n_validation, curriculum.keep)
        self.progress.note(f"defaults: {_words(examination.defaults)}")
        store = CheckpointStore(self.run.checkpoints, fence=self.tracker.fence)
        last = store.latest()
        state: dict[str, Any] = {"seconds": 0.0, "examined": [], "about": {}} if last is None else last.state["run"]
        total = curriculum.trials * curriculum.n_decisions
        stage = self.progress.stage("train agent", total)
        seed = curriculum.seed + 1009 * self.tracker.fence.attempt
        start = None if curriculum.agent.start is None else load_policy(agent_file(curriculum.agent.start))[0]
        trainer = AgentTrainer(curriculum.agent, environment, sizes, STEP_SECONDS, seed, name, start)
        try:

            def on_iteration(iteration: Progress) -> None:
                state["seconds"] += iteration.seconds
                self.tracker.log(iteration.metrics(), step=iteration.sampled_steps)
                if iteration.iteration % curriculum.examine_every == 0 or trainer.sampled_steps >= total:
                    self._examine(examination, trainer, environment, state)

            loop = TrainingLoop(
                trainer, total, share, store, CHECKPOINT_SECONDS, {"run": state}, stage, self.progress, self.guard
            )
            loop.run(last, on_iteration, lambda: self._stale(state))
        finally:
            trainer.stop()
        about: dict[str, Any] = state["about"]
        return about

    def _stale(self, state: dict[str, Any]) -> bool:
        """Whether the last examinations brought nothing better."""
        sums = _sums(state)
        return bool(sums) and len(sums) - 1 - sums.index(max(sums)) >= self.curriculum.patience

    def _examine(
        self, examination: Examination, trainer: AgentTrainer, environment: CurriculumConfig, state: dict[str, Any]
    ) -> None:
        """Examine the agent, and keep it if it is the best so far."""
        scores = examination.scores(trainer.network())
        self.tracker.log({f"examination/{name}": score for name, score in scores.items()}, step=trainer.sampled_steps)
        self.progress.note(f"examined after {trainer.trials:,} trials: {_words(scores)}")
        before = _sums(state)
        state["examined"].append({"trials": trainer.trials, "scores": scores})
        if before and sum(scores.values()) <= max(before):
            return
        curriculum = self.curriculum
        per_decision = [task.episode.iterations_per_decision for task in environment.tasks.values()]
        per_trial = curriculum.n_decisions * sum(per_decision) / len(per_decision)
        state["about"] = {
            "name": curriculum.name,
            "description": curriculum.description,
            "tasks": {name: task.model_dump(mode="json") for name, task in curriculum.tasks.items()},
            "trials": trainer.trials,
            "iterations": round(trainer.trials * per_trial),
            "start": curriculum.agent.start,
            "core_hours": round(state["seconds"] * sum(trainer.sizes.values()) / 3600, 3),
            "validation": scores,
            "validation_defaults": examination.defaults,
        }
        trainer.export(self.run.agent, environment.features, state["about"])


def _sums(state: dict[str, Any]) -> list[float]:
    """Scores of each examination so far, all tasks together."""
    return [sum(each["scores"].values()) for each in state["examined"]]


def _words(scores: dict[str, float]) -> str:
    return ", ".join(f"{name} {score:.3f}" for name, score in scores.items())

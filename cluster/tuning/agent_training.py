"""The training of a study's agent, from where an earlier attempt left it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cluster.comparison.compared_agent import compared_agents
from cluster.machines.estimate import describe_seconds
from cluster.machines.population_pool import WorkerPool
from cluster.machines.share import ClusterShare
from cluster.results.plots import plot_training
from cluster.study.run_directory import RunDirectory
from cluster.study.study import Study
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.tags import tags_of_study
from cluster.tracking.tracker import Tracker
from cluster.training.agent_trainer import AgentTrainer, Progress
from cluster.training.checkpoints import CheckpointStore
from cluster.training.gauges import StudyGauges
from cluster.training.kept_agent import is_whole
from cluster.training.training_loop import TrainingLoop
from cluster.tuning.contender import Contender
from rl_envs.agents import Hold
from rl_envs.config import EnvironmentConfig
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import load_policy
from rl_envs.pretrained import agent_file
from rl_envs.rollout import Assignment

CHECKPOINT_SECONDS = 30.0
CHILD = (
    "training the agent"  # the MLflow run with its metrics: MLflow lists the study's in the order in which they came
)


@dataclass(frozen=True, kw_only=True)
class AgentTraining:
    """The training of one run's agent.

    Attributes:
        tags: of the study.
    """

    study: Study
    run: RunDirectory
    tracker: Tracker
    progress: StudyProgress
    guard: InterruptGuard
    gauges: StudyGauges
    tags: Mapping[str, str]

    def execute(self, environment: EnvironmentConfig, share: ClusterShare) -> Contender:
        """The agent, trained to the end of its budget by this attempt or an earlier one.

        Raises:
            Interrupted: a signal came; the last checkpoint is kept.
            QsynthError: populations broke for good.
        """
        features, step_seconds = self._probe(environment, share)
        return self._trained(self._history(environment, share, step_seconds, features))

    def _probe(self, environment: EnvironmentConfig, share: ClusterShare) -> tuple[list[str], float]:
        """What observations consist of, and how long the slowest population takes from one decision to the next."""
        first = "; compiling takes about a minute the first time" if environment.compiled else ""
        self.progress.note(f"starting populations{first}")
        pool = WorkerPool(environment, share, f"{self.run.path.name}:probe")
        try:
            features = pool.features(self.guard.check)
            lanes = pool.n_lanes
            wave = [Assignment(environment.data.instance(0, held_out=False), seed) for seed in range(lanes)]
            pool.play(lambda _: Hold(), wave, check=self.guard.check)
        finally:
            pool.stop()
        seconds = {kind: taken / environment.episode.n_decisions for kind, taken in pool.seconds.items()}
        slowest, trials = max(seconds.values()), self.study.budget.n_trials
        left = slowest * environment.episode.n_decisions * trials / lanes
        each = ", of ".join(f"{kind.describe()} {taken:.2f} s" for kind, taken in seconds.items())
        waiting = "; training waits for the slowest kind" if slowest > 2 * min(seconds.values()) else ""
        self.progress.note(f"a decision of {each}{waiting}; all {trials:,} trials {describe_seconds(left)}")
        return features, slowest

    def _history(
        self,
        environment: EnvironmentConfig,
        share: ClusterShare,
        step_seconds: float,
        features: list[str],
    ) -> list[dict[str, float]]:
        study, n_decisions = self.study, environment.episode.n_decisions
        total = study.budget.agent_trials * n_decisions
        store = CheckpointStore(self.run.checkpoints, attempt_lock=self.tracker.attempt_lock)
        last = store.latest()
        history: list[dict[str, float]] = [] if last is None else last.state["history"]
        stage = self.progress.stage("train agent", total)
        if last is not None and last.state["sampled_steps"] >= total and is_whole(self.run.agent, self.progress):
            stage.update(total)
            return history
        learned: EnvironmentConfig | CurriculumConfig = environment
        start, before = None, {"trials": 0.0, "iterations": 0.0}
        if study.agent.start is not None:
            start, file = load_policy(agent_file(study.agent.start))
            going_on = environment.replaced(episode=environment.episode.replaced(max_step=file.max_step))
            learned = CurriculumConfig(tasks={study.name: going_on}, known=file.search_space, seen=file.features)
            features, before = learned.features, {what: file.trained(what) for what in ("trials", "iterations")}
            self.progress.note(f"the agent goes on from {study.agent.start}")
        self.tracker.start_trial(CHILD, {}, tags_of_study(self.tags))
        trainer = AgentTrainer(study.agent, learned, share(), step_seconds, study.seed, self.run.path.name, start)
        try:

            def on_iteration(iteration: Progress) -> None:
                history.append(iteration.entry())
                self.tracker.log(iteration.metrics(), step=iteration.sampled_steps, trial=CHILD)
                self.gauges.iteration(iteration, trainer.n_lanes, self.tracker.lag_seconds)

            loop = TrainingLoop(
                trainer=trainer,
                total=total,
                share=share,
                store=store,
                checkpoint_seconds=CHECKPOINT_SECONDS,
                state=lambda: {"history": history},
                stage=stage,
                progress=self.progress,
                guard=self.guard,
            )
            loop.run(last, on_iteration)
            about = {
                "study": study.name,
                "run": self.run.path.name,
                "start": study.agent.start,
                "trials": round(before["trials"]) + trainer.trials,
                "iterations": round(before["iterations"] + trainer.trials * study.iterations_per_run),
            }
            trainer.export(self.run.agent, features, about)
            self.tracker.end_trial(CHILD)
        finally:
            trainer.stop()
        return history

    def _trained(self, history: list[dict[str, float]]) -> Contender:
        """The agent, as its training has left it."""
        [agent] = compared_agents([self.run.agent], [self.study])
        last = history[-1]
        spent = {
            "trials": last["trials"],
            "sampled decisions": last["sampled_steps"],
            "GAN iterations": last["trials"] * self.study.iterations_per_run,
            "seconds": sum(entry["seconds"] for entry in history),
            "failed trials": last["failures"],
        }
        return Contender(
            name=agent.name,
            agent=agent,
            searched=None,
            file=self.run.agent,
            spent=spent,
            draw=lambda path: plot_training(history, path),
            caption="Training the agent.",
        )

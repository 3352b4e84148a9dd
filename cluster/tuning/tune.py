"""A study from beginning to end: train the agent, tune its rivals, measure all of them, write what came of it."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from cluster.comparison.compared_agent import ComparedAgent, compared_agents
from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job import held_out_problem
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.plan import ComparisonPlan
from cluster.comparison.rival_result import first_returned, first_schedules
from cluster.comparison.study_comparison import StudyComparison
from cluster.machines.device_actor import run_on_device
from cluster.machines.estimate import describe_seconds
from cluster.machines.population_pool import WorkerPool
from cluster.machines.session import plan_compilation, plan_runners
from cluster.machines.share import ClusterShare
from cluster.results.device_result import DeviceResult
from cluster.study.circuit_remarks import circuit_remarks
from cluster.study.difference import flat
from cluster.study.placement import describe_sizes
from cluster.study.run_directory import RunDirectory
from cluster.study.study import Study
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.dataset_input import real_dataset
from cluster.tracking.tags import study_tags
from cluster.tracking.tracker import Tracker
from cluster.training.agent_trainer import AgentTrainer, Progress
from cluster.training.checkpoints import CheckpointStore
from cluster.training.gauges import StudyGauges
from cluster.training.kept_agent import is_whole
from cluster.training.training_loop import TrainingLoop
from cluster.tuning.deliver import best_trial, deliver, trials_log
from cluster.tuning.study_result import StudyResult
from qsynth.circuits.engine import choose
from qsynth.files.atomic import atomic_write_json
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import Agent, Hold
from rl_envs.config import EnvironmentConfig
from rl_envs.curriculum import CurriculumConfig
from rl_envs.policy import load_policy
from rl_envs.pretrained import agent_file
from rl_envs.replay import Replay, ScheduleFile
from rl_envs.rollout import Assignment, Episode

CHECKPOINT_SECONDS = 30.0
AGENT = "agent"  # who was trained here
RIVALS = ("random", "defaults", "constants", "exponential")


@dataclass(kw_only=True)
class Tuning:
    """One run of a study on a Ray session that is up already.

    Attributes:
        guard: whether somebody asked to stop; looked at between batches.
    """

    study: Study
    run: RunDirectory
    tracker: Tracker
    progress: StudyProgress
    guard: InterruptGuard

    def execute(self, cluster: dict[str, Any]) -> StudyResult:
        """All stages that an earlier attempt has not finished.

        Raises:
            Interrupted: a signal came; what is done so far is kept, and a resume goes on from it.
        """
        study = self.study
        plan_runners(study, cluster)
        share = ClusterShare(self.run.path.name, study.placements())
        sizes = share()
        compiled, why = plan_compilation(study, sum(sizes.values()))
        engine = choose(study.trial.engine, study.trial.n_qubits)
        self.progress.note(f"engine {engine.name} ({engine.reason}); {why}")
        if study.hardware is not None:
            self.progress.note(f"at the end on {study.hardware.check(study.trial)}")
        self.progress.note(f"{describe_sizes(sizes)}; run directory {self.run.path}")
        for line in circuit_remarks(study):
            self.progress.note(f"circuit: {line}")
        environment = study.environment(compiled)
        tags = study_tags(study, engine.name, engine.reason, why)
        self._gauges = StudyGauges(self.run.path.name)
        self.tracker.start_study(flat(study.model_dump(mode="json")), tags)
        self.tracker.log_dataset(real_dataset(study.data))

        features, step_seconds = self._probe(environment, share)
        history = self._train_agent(environment, share, step_seconds, features)
        [agent] = compared_agents([self.run.agent], [study])
        comparison = self._compare(agent, cluster, share)
        trials = self._replay(agent, environment, share, comparison, tags)
        device = self._on_device(trials)
        return deliver(study, self.run, self.tracker, comparison, trials[AGENT], history, device)

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

    def _train_agent(
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
        seed = study.seed + 1009 * self.tracker.attempt_lock.attempt
        learned: EnvironmentConfig | CurriculumConfig = environment
        start, before = None, {"trials": 0.0, "iterations": 0.0}
        if study.agent.start is not None:
            start, file = load_policy(agent_file(study.agent.start))
            going_on = environment.replaced(episode=environment.episode.replaced(max_step=file.max_step))
            learned = CurriculumConfig(tasks={study.name: going_on}, known=file.search_space, seen=file.features)
            features, before = learned.features, {what: file.trained(what) for what in ("trials", "iterations")}
            self.progress.note(f"the agent goes on from {study.agent.start}")
        trainer = AgentTrainer(study.agent, learned, share(), step_seconds, seed, self.run.path.name, start)
        try:

            def on_iteration(iteration: Progress) -> None:
                history.append(iteration.entry())
                self.tracker.log(iteration.metrics(), step=iteration.sampled_steps)
                self._gauges.iteration(iteration, trainer.n_lanes, self.tracker.lag_seconds)

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
        finally:
            trainer.stop()
        return history

    def _compared(self) -> Study:
        """The study as the agent and its rivals are compared on it: budgets are in runs, so shots do not end trials."""
        return self.study.replaced(episode=self.study.episode.replaced(shot_budget=None))

    def _compare(self, agent: ComparedAgent, cluster: dict[str, Any], share: ClusterShare) -> ComparisonResult:
        """The comparison on held-out problems; what an earlier attempt has done of it is not done again."""
        study = self._compared()
        if study.episode != self.study.episode:
            self.progress.note("compared without episode.shot_budget: budgets are in runs there")
        plan = ComparisonPlan(
            studies=(study,),
            agents=(agent,),
            rivals=RIVALS,
            budgets=tuple(sorted({1, study.budget.random_runs})),
            n_problems=study.budget.held_out,
            search_trials=study.budget.search_trials,
            retrain=True,
            random_start=False,
            keep="best",
        )
        with closing(JobResultFile(self.run.records)) as records:
            comparison = StudyComparison(plan, study, records, self.progress, self.guard)
            result = plan.result([comparison.execute(cluster, share, self.run.path.name)])
        result.write(self.run.comparison)
        return result

    def _replay(
        self,
        agent: ComparedAgent,
        environment: EnvironmentConfig,
        share: ClusterShare,
        comparison: ComparisonResult,
        tags: dict[str, str],
    ) -> dict[str, list[Episode]]:
        """The trial that every rival returned of its first run on each problem, once more, to show its whole course.

        It comes out as it was: the same networks, the same hyperparameters at each decision.

        Returns:
            rival -> an episode for each problem.
        """
        study = self._compared()
        defaults = study.defaults()
        problems = [held_out_problem(study.name, number, defaults) for number in range(study.budget.held_out)]
        instances = [study.data.instance(each.number, held_out=True) for each in problems]
        compared = [each for each in comparison.rivals if not each.only_once]
        episodes: dict[str, list[Episode]] = {}
        log = trials_log(study, self.run, self.tracker, tags)
        pool = WorkerPool(environment.replaced(episode=study.episode), share, self.run.path.name)
        try:
            for rival in compared:
                assignments = [
                    Assignment(instance, each.seed + returned.trial, each.number)
                    for instance, each, returned in zip(instances, problems, first_returned(rival), strict=True)
                ]
                # An agent may do more than move hyperparameters, so it acts itself.
                acting = agent.agents[study.name] if rival.name == agent.name else None
                schedules = first_schedules(rival, defaults, study.episode.n_decisions)

                def again(
                    part: slice, acting: Agent | None = acting, schedules: list[ScheduleFile] = schedules
                ) -> Agent:
                    return acting or Replay(*schedules[part])

                stage = self.progress.stage(f"show {rival.name}", len(assignments))
                episodes[rival.name] = pool.play(
                    again,
                    assignments,
                    test=True,
                    snapshots=True,
                    keep="best",
                    on_done=stage.update,
                    check=self.guard.check,
                )
                log.log(rival.name, episodes[rival.name])
        finally:
            pool.stop()
        return episodes

    def _on_device(self, trials: Mapping[str, Sequence[Episode]]) -> DeviceResult | None:
        """The stage on hardware, or what an earlier attempt has found there.

        Raises:
            FileError: what it has found can't be read.
        """
        hardware, file = self.study.hardware, self.run.stages / "device.json"
        if hardware is None:
            return None
        if file.is_file():
            return DeviceResult.read(file)
        name = hardware.device_name(self.study.trial.n_qubits)
        stage = self.progress.stage(f"fine-tune on {name}", hardware.n_decisions)
        snapshot, instance = best_trial(self.study, trials[AGENT])
        ideal, found = run_on_device(
            hardware, self.study.trial, snapshot, instance, self.run.path.name, stage, self.guard
        )
        QGANSynthesizer.from_snapshot(self.study.trial, found.snapshot, instance).save(self.run.device_model)
        estimated, _ = hardware.estimate(self.study.trial)
        bill = hardware.price.describe(found.spent)
        result = DeviceResult.of(name, ideal, found, estimated, bill)
        atomic_write_json(file, asdict(result))
        for decision, score in enumerate(found.scores):
            self.tracker.log({"device/validation_score": score}, step=decision)
        self._gauges.count("qsynth_shots", found.spent.shots)
        self.progress.note(f"{name}: spent {bill}")
        self.guard.check()
        return result

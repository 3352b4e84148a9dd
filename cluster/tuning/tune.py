"""A study from beginning to end: train its agent or search, tune the rivals, measure all of them, write it down."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job import held_out_problem
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.plan import ComparisonPlan
from cluster.comparison.rival_result import first_returned, first_schedules
from cluster.comparison.study_comparison import StudyComparison
from cluster.machines.device_actor import run_on_device
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
from cluster.training.gauges import StudyGauges
from cluster.tuning.agent_training import AgentTraining
from cluster.tuning.contender import Contender
from cluster.tuning.deliver import best_trial, deliver, trials_log
from cluster.tuning.searching import Searching
from cluster.tuning.study_result import StudyResult
from qsynth.circuits.engine import choose
from qsynth.files.atomic import atomic_write_json
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.agents import Agent
from rl_envs.config import EnvironmentConfig
from rl_envs.replay import Replay, ScheduleFile
from rl_envs.rollout import Assignment, Episode

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

        if study.search is None:
            training = AgentTraining(
                study=study,
                run=self.run,
                tracker=self.tracker,
                progress=self.progress,
                guard=self.guard,
                gauges=self._gauges,
                tags=tags,
            )
            contender = training.execute(environment, share)
        else:
            searching = Searching(
                study=study,
                search=study.search,
                run=self.run,
                tracker=self.tracker,
                progress=self.progress,
                guard=self.guard,
                tags=tags,
            )
            contender = searching.execute(compiled=compiled, most=sum(sizes.values()))
        comparison = self._compare(contender, cluster, share)
        trials = self._replay(contender, environment, share, comparison, tags)[contender.name]
        device = self._on_device(trials)
        return deliver(study, self.run, self.tracker, comparison, contender, trials, device)

    def _compared(self) -> Study:
        """The study as the agent and its rivals are compared on it: budgets are in runs, so shots do not end trials."""
        return self.study.replaced(episode=self.study.episode.replaced(shot_budget=None))

    def _compare(self, contender: Contender, cluster: dict[str, Any], share: ClusterShare) -> ComparisonResult:
        """The comparison on held-out problems; what an earlier attempt has done of it is not done again."""
        study = self._compared()
        if study.episode != self.study.episode:
            self.progress.note("compared without episode.shot_budget: budgets are in runs there")
        plan = ComparisonPlan(
            studies=(study,),
            agents=() if contender.agent is None else (contender.agent,),
            searched=contender.searched,
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
        contender: Contender,
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
                agent = contender.agent if rival.name == contender.name else None
                acting = None if agent is None else agent.agents[study.name]
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

    def _on_device(self, trials: Sequence[Episode]) -> DeviceResult | None:
        """The stage on hardware, or what an earlier attempt has found there.

        Args:
            trials: the contender's.

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
        snapshot, instance = best_trial(self.study, trials)
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

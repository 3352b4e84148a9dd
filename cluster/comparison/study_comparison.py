"""A comparison: rivals with the same budgets on the same held-out problems of some studies."""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from cluster.comparison.compared_agent import ComparedAgent
from cluster.comparison.job import ComparisonJob, Problem, held_out_problem, starting_values
from cluster.comparison.job_result import JobResult, JobResultFile
from cluster.comparison.plan import ComparisonPlan, StudyResults
from cluster.comparison.pools import JobPools
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rivals.ablation import ablations
from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.ppo import LEARNS, ppo_rival
from cluster.comparison.rivals.registry import FINE_TUNED, RIVALS, TUNED
from cluster.comparison.rivals.retrained import retrained
from cluster.comparison.rivals.rival import Course, Rival
from cluster.comparison.rivals.rows_rival import rows_rival, yardsticks_of
from cluster.machines.session import plan_compilation, plan_runners
from cluster.machines.share import ClusterShare
from cluster.study.placement import Placement, describe_sizes
from cluster.study.study import Study
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.dataset_input import real_dataset
from rl_envs.agents import Schedule
from rl_envs.rollout import Assignment
from rl_envs.schedule_search import Family, search_schedule

RULES = 4  # of what is measured and how; records made under other rules are not used


Played = list[tuple[Rival, list[JobResult]]]


class StudyComparison:
    """One study's part of a comparison.

    Who learns on a problem may move hyperparameters as far at a decision as the first agent.

    Args:
        records: where results are kept; what is there already is not done again.
    """

    def __init__(
        self, plan: ComparisonPlan, study: Study, records: JobResultFile, progress: StudyProgress, guard: InterruptGuard
    ) -> None:
        if plan.agents:
            _, file = plan.agents[0].policy
            study = study.model_copy(update={"episode": study.episode.replaced(max_step=file.max_step)})
        self.plan, self.study, self._records = plan, study, records
        self._progress, self._guard = progress, guard
        self._searched: list[JobResult] = []
        environment = study.environment(compiled=False)
        # Where a table lies does not matter; its rows do.
        about = environment.model_dump_json(include={"data", "trial", "episode"}, exclude={"data": {"path"}})
        rows = real_dataset(study.data).digest
        self.context = hashlib.sha256(f"{RULES} {about} {rows}".encode()).hexdigest()[:16]
        space = study.trial.search_space
        self._defaults = study.defaults()
        self.problems = [
            held_out_problem(study.name, number, starting_values(space, self._defaults, plan.random_start, number))
            for number in range(plan.n_problems)
        ]

    def execute(self, cluster: dict[str, Any], share: ClusterShare, run: str) -> StudyResults:
        """Everybody's results.

        Args:
            cluster: resource -> amount.
            share: how many populations of each kind there may be.
            run: the run's name, by which the actors are called.

        Raises:
            Interrupted: a signal came; the same command goes on.
            QsynthError: a population broke.
        """
        study, plan = self.study, self.plan
        plan_runners(study, cluster)
        sizes = share()
        tuned = [family for family in TUNED if family in plan.rivals]
        n_rivals = len(plan.rivals) + len(plan.agents) + (plan.searched is not None)
        per_problem = sum(plan.budgets) + len(plan.budgets) * plan.retrain
        n_runs = plan.n_problems * n_rivals * per_problem + len(tuned) * plan.search_trials
        # Lanes without work would take as long as the others.
        most = -(-n_runs // sum(sizes.values()))

        def narrowed(sizes: Mapping[Placement, int]) -> dict[Placement, int]:
            return {replace(kind, n_lanes=min(kind.n_lanes, most)): count for kind, count in sizes.items()}

        asked = study.model_copy(update={"budget": study.budget.replaced(agent_trials=n_runs)})
        compiled, why = plan_compilation(asked, sum(sizes.values()))
        self._progress.note(f"{study.name}: {describe_sizes(narrowed(sizes))}; {why}")
        pool = JobPools(study.environment(compiled), lambda: narrowed(share()), run)
        try:
            rivals = [RIVALS[name] for name in plan.rivals if name in RIVALS]
            rivals += [self._tuned(pool, family) for family in tuned]
            rivals += [_fine_tuned(plan.agents[0])] if FINE_TUNED in plan.rivals else []
            rivals += [self._entered(agent) for agent in plan.agents]
            rivals += [] if plan.searched is None else [plan.searched]
            found = self._play(pool, f"{study.name}: rivals", [self._jobs(rival) for rival in rivals])
            again: Played = []
            if plan.retrain:
                again = self._play(pool, f"{study.name}: what they returned again", self._retrained_jobs(found))
            if plan.agents:
                robbed = self._ablations(plan.agents[0], found[-len(plan.agents)][1])
                found += self._play(pool, f"{study.name}: ablations", [self._jobs(rival) for rival in robbed])
            others = [rows_rival(each) for each in yardsticks_of(study.environment(compiled=False))]
            beside = self._play(pool, f"{study.name}: yardsticks", [self._jobs(rival) for rival in others])
        finally:
            pool.stop()
        rivals_found, retrained_found, yardsticks_found = (
            [self._result(*each) for each in played] for played in (found, again, beside)
        )
        return StudyResults(rivals_found, retrained_found, yardsticks_found, self._searched)

    def _result(self, rival: Rival, records: list[JobResult]) -> RivalResult:
        name = self.study.name
        return RivalResult(
            name=rival.name,
            details={name: rival.detail},
            preparations={name: rival.prepared},
            shared=rival.shared,
            records=tuple(records),
            only_once=rival.only_once,
            ceiling=rival.rows is not None and rival.rows.ceiling,
        )

    def _entered(self, agent: ComparedAgent) -> Rival:
        return agent_rival(
            agent.name,
            agent.agents[self.study.name],
            agent.detail,
            agent.trained or 0,
            shared=True,
            watched=agent is self.plan.agents[0],
            identity=agent.identity,
        )

    def _ablations(self, agent: ComparedAgent, records: list[JobResult]) -> list[Rival]:
        courses = {each.problem: Course(**each.course) for each in records if each.course and each.course["values"]}
        if not courses:
            return []
        starts = {problem.number: problem.start for problem in self.problems}
        space = self.study.trial.search_space
        return ablations(agent.agents[self.study.name], agent.identity, space, courses, starts)

    def _jobs(self, rival: Rival) -> list[ComparisonJob]:
        """A job for each problem, and for each budget if the rival's plan depends on it."""
        budgets = self.plan.budgets[:1] if rival.only_once else self.plan.budgets
        wanted = [(budgets[-1], budgets)] if rival.anytime else [(runs, (runs,)) for runs in budgets]
        return [
            ComparisonJob(
                rival=rival, problem=problem, runs=runs, marks=marks, context=self.context, keep=self.plan.keep
            )
            for runs, marks in reversed(wanted)
            for problem in self.problems
        ]

    def _retrained_jobs(self, played: Played) -> list[list[ComparisonJob]]:
        """A run along what each rival returned, with the budgets at which it did as marks."""
        return [[job for record in records for job in self._of_returned(rival, record)] for rival, records in played]

    def _of_returned(self, rival: Rival, record: JobResult) -> list[ComparisonJob]:
        problem, n_decisions = self.problems[record.problem], self.study.episode.n_decisions
        trial = self.study.trial.under(rival.optimizer) if rival.optimizer else self.study.trial
        space = trial.search_space
        winners: dict[str, tuple[dict[str, list[float]], list[int]]] = {}
        for runs, mark in record.marks.items():
            # Who returned nothing has nothing better than the beginning.
            schedule = mark.schedule or {name: [value] for name, value in problem.start.items() if name in space}
            winners.setdefault(json.dumps(schedule), (schedule, []))[1].append(runs)
        return [
            ComparisonJob(
                rival=retrained(rival, schedule, n_decisions),
                problem=problem,
                runs=1,
                marks=tuple(marks),
                context=self.context,
                keep=self.plan.keep,
            )
            for schedule, marks in winners.values()
        ]

    def _play(self, pool: JobPools, stage_name: str, groups: Sequence[Sequence[ComparisonJob]]) -> Played:
        """Records of each group of jobs, with its first one's rival."""
        jobs = [job for group in groups for job in group]
        stage = self._progress.stage(stage_name, sum(job.runs for job in jobs))
        records = iter(self._records_of(pool, jobs, stage.update))
        return [(group[0].rival, list(itertools.islice(records, len(group)))) for group in groups]

    def _records_of(
        self, pool: JobPools, jobs: Sequence[ComparisonJob], on_done: Callable[[int], None]
    ) -> list[JobResult]:
        """Records of jobs, in their order; those that are kept already are not played again.

        Args:
            on_done: told of the runs of the jobs that are over.
        """
        known = self._records.records
        missing = [job for job in jobs if job.key not in known]
        done = sum(job.runs for job in jobs) - sum(job.runs for job in missing)
        on_done(done)
        # Whoever is up goes on: populations take their time to start.
        for optimizer in sorted({job.rival.optimizer for job in missing}, key=lambda each: each != pool.optimizer):
            of_it = [job for job in missing if job.rival.optimizer == optimizer]

            def keep(place: int, record: JobResult, of_it: list[ComparisonJob] = of_it) -> None:
                nonlocal done
                self._records.add(record)
                done += of_it[place].runs
                on_done(done)

            pool.under(optimizer).play(of_it, keep, self._guard.check)
        return [known[job.key] for job in jobs]

    def _tuned(self, pool: JobPools, family: Family) -> Rival:
        """A rival that is tuned on training instances; trials of an earlier attempt are not done again."""
        study, n_trials = self.study, self.plan.search_trials
        label = f"tuned {family}" if family != "ttur" else "tuned TTUR"
        stage = self._progress.stage(f"{study.name}: search {label}", n_trials)
        instances = [study.data.instance(index, held_out=False) for index in range(study.n_instances)]
        numbers = {instance.key: number for number, instance in enumerate(instances)}
        done = 0

        def play(agent_for: Callable[[slice], Schedule], assignments: list[Assignment]) -> list[float]:
            nonlocal done
            jobs = [
                ComparisonJob(
                    rival=agent_rival(
                        "candidate", agent_for(slice(place, place + 1)), identity=f"{family} {n_trials} {place}"
                    ),
                    problem=Problem(
                        study=study.name,
                        number=numbers[each.instance.key],
                        held_out=False,
                        seed=each.seed,
                        start=self._defaults,
                    ),
                    runs=1,
                    marks=(),
                    context=self.context,
                    keep=self.plan.keep,
                )
                for place, each in enumerate(assignments)
            ]

            def on_done(runs: int) -> None:
                stage.update(min(done + runs, n_trials))

            records = self._records_of(pool, jobs, on_done)
            done += len(jobs)
            self._searched += records
            return [record.curve[-1][1] if record.curve else 0.0 for record in records]

        best, trials = search_schedule(
            study.trial.search_space, self._defaults, instances, n_trials, family, study.seed + 1, play
        )
        stage.update(n_trials, score=best.score)
        identity = json.dumps(asdict(best), sort_keys=True)
        spent = trials * study.iterations_per_run
        return agent_rival(label, best.schedule(label), best.describe(), spent, identity=identity)


def _fine_tuned(agent: ComparedAgent) -> Rival:
    """The agent, which learns on while it works on a problem."""
    name, detail = f"{agent.name}, fine-tuned", f"{agent.name}, {LEARNS}"
    return ppo_rival(name, agent.policy, detail, agent.trained or 0, agent.identity)

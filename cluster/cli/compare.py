"""What ``qsynth compare`` does."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rich.console import Console

from cluster.cli.output import emit, warn_undelivered
from cluster.cli.tables import print_result
from cluster.comparison.agent_card import write_comparison
from cluster.comparison.compared_agent import compared_agents
from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.plan import ComparisonPlan, StudyResults
from cluster.comparison.report_folder import describe_rules, write_report
from cluster.comparison.rivals.registry import FINE_TUNED, OF_OPTUNA, rival_names
from cluster.comparison.study_comparison import StudyComparison
from cluster.comparison.tracking import log_comparison
from cluster.machines.session import check_address, ray_session
from cluster.machines.share import ClusterShare
from cluster.results.optuna_studies import load_optuna
from cluster.study.run_directory import RunDirectory, new_name
from cluster.study.study import Study, load_study
from cluster.system.files import check_writable, writing_below
from cluster.system.interrupt import STOPPED, InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.store import EXPERIMENT, TrackingStore
from qsynth.errors import QsynthError, did_you_mean
from qsynth.population.snapshot import Keep
from rl_envs.pretrained import agent_file

STARTS = ("defaults", "random")
RETURNS: tuple[Keep, ...] = get_args(Keep)
MAX_BUDGET = 1024
GOES_ON = "The same command goes on with what is in it"


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What the command line asked for, as it was written there."""

    studies: Sequence[str]
    agents: Sequence[str]
    rivals: str
    budgets: str
    problems: int
    search_trials: int
    retrain: bool
    start: str
    returned: str
    write_card: bool
    out: Path
    address: str | None
    tracking_uri: str | None

    def plan(self) -> ComparisonPlan:
        """What to compare.

        Raises:
            QsynthError: an invalid study, agent, rival or budget; nothing has been written.
        """
        if self.start not in STARTS:
            raise QsynthError(
                f"--start must be defaults or random; got {self.start!r}.{did_you_mean(self.start, STARTS)}"
            )
        keep = next((each for each in RETURNS if each == self.returned), None)
        if keep is None:
            hint = did_you_mean(self.returned, RETURNS)
            raise QsynthError(f"--return must be best or last; got {self.returned!r}.{hint}")
        if self.write_card and not self.agents:
            raise QsynthError("--write-card must be left out without --agent")
        if self.write_card:
            check_writable(agent_file(self.agents[0]))
        if self.tracking_uri is not None:
            TrackingStore.make(self.tracking_uri, EXPERIMENT, self.out.absolute().name)
        studies = _studies(self.studies)
        return ComparisonPlan(
            studies=studies,
            agents=compared_agents([agent_file(name) for name in self.agents], studies),
            rivals=_rivals(self.rivals, studies, has_agent=bool(self.agents)),
            budgets=_budgets(self.budgets),
            n_problems=self.problems,
            search_trials=self.search_trials,
            retrain=self.retrain,
            random_start=self.start == "random",
            keep=keep,
        )


def run_compare(options: CompareOptions, *, as_json: bool) -> None:
    """``qsynth compare``.

    Raises:
        QsynthError: an invalid study, agent, rival, budget or directory; nothing has been written then.
        Interrupted: stopped by a signal; the same command goes on.
    """
    import torch

    torch.set_num_threads(1)
    plan, out = options.plan(), options.out
    check_address(options.address)
    with writing_below(out, GOES_ON), closing(JobResultFile(out / "records.jsonl")) as records:
        result = _play(plan, records, options.address, enabled=not as_json)
    lines = [
        f"{study.name}: {study.description or 'no description'}; {plan.n_problems} held-out problems, a run is "
        f"{study.iterations_per_run:,} GAN iterations in {study.episode.n_decisions} decisions"
        for study in plan.studies
    ]
    title = f"qsynth compare: {', '.join(result.iterations)}"
    with writing_below(out, GOES_ON):
        report = write_report(result, out, title, [*lines, *describe_rules(plan)])
        result.write(RunDirectory(out).comparison)
    if options.write_card:
        write_comparison(agent_file(options.agents[0]), result.summary)
    if options.tracking_uri is not None:
        warn_undelivered(log_comparison(result, report, options.tracking_uri), out)
    if as_json:
        emit(result.to_dict() | {"report": str(report)})
        return
    console = Console()
    print_result(console, result)
    console.print(f"report: {report}", soft_wrap=True, highlight=False, markup=False)


def _play(plan: ComparisonPlan, records: JobResultFile, address: str | None, enabled: bool) -> ComparisonResult:
    """Everybody's results, in all studies."""
    parts: list[StudyResults] = []
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=enabled) as progress,
            ray_session(address, "compare") as resources,
        ):
            guard.listen()
            for study in plan.studies:
                comparison = StudyComparison(plan, study, records, progress, guard)
                run = new_name(f"compare-{study.name}")
                parts.append(comparison.execute(resources, ClusterShare(run, study.placements()), run))
    except STOPPED as stop:
        print(f"stopped by {stop}; the same command goes on with what is in {records.path.parent}", file=sys.stderr)
        raise
    except QsynthError as error:
        raise QsynthError(f"{error}. The same command goes on with what is in {records.path.parent}") from None
    return plan.result(parts)


def _studies(names: Sequence[str]) -> tuple[Study, ...]:
    studies = tuple(load_study(name) for name in names)
    if len({study.name for study in studies}) < len(studies):
        raise QsynthError(f"studies must have different names; got {', '.join(study.name for study in studies)}")
    for study in studies:
        study.check()
        if study.episode.shot_budget is not None:
            raise QsynthError(f"{study.name}: episode.shot_budget must be left out; --budgets say what may be spent")
    return studies


def _budgets(text: str) -> tuple[int, ...]:
    try:
        budgets = sorted({int(part) for part in text.split(",")})
    except ValueError:
        budgets = [0]
    if not 1 <= budgets[0] <= budgets[-1] <= MAX_BUDGET:
        raise QsynthError(f"--budgets must be whole numbers in 1..{MAX_BUDGET}, as in 1,4,16; got {text!r}")
    return tuple(budgets)


def _rivals(text: str, studies: Sequence[Study], has_agent: bool) -> tuple[str, ...]:
    paired = all({"lr_generator", "lr_critic"} <= set(study.trial.search_space) for study in studies)
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    impossible = {}
    if not has_agent:
        impossible[FINE_TUNED] = "--agent, to fine-tune it"
    if not paired:
        impossible["ttur"] = "lr_generator and lr_critic in the search space of every study"
    names = rival_names()
    if text == "all":
        chosen = tuple(name for name in names if name not in impossible)
    for name in chosen:
        if name not in names:
            raise QsynthError(f"--rivals must be all, or names of rivals; got {name!r}.{did_you_mean(name, names)}")
    if not chosen and not has_agent:
        raise QsynthError("--rivals must name somebody to compare, or --agent give a file")
    if set(OF_OPTUNA) & set(chosen):
        load_optuna()
    for name, need in impossible.items():
        if name in chosen:
            raise QsynthError(f"rival {name} needs {need}")
    return tuple(name for name in names if name in chosen)

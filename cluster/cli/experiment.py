"""What ``qsynth experiment`` does."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

import rl_envs.agent_rows  # noqa: F401  registers the agent's rows
from cluster.cli.output import emit, warn_undelivered
from cluster.experiment.cells import run_missing
from cluster.experiment.tracking import log_experiment
from cluster.machines.session import check_address, ray_session
from cluster.system.files import writing_below
from cluster.system.interrupt import STOPPED, InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.store import EXPERIMENT, TrackingStore
from qsynth.errors import QsynthError
from qsynth.experiment.experiment import ExperimentFolder, check, keys
from qsynth.experiment.plan import ExperimentPlan, load_plan
from qsynth.experiment.report import conclusions, write_report
from qsynth.experiment.summary import RegimeSummary, summarise, to_dict


@dataclass(frozen=True, kw_only=True)
class ExperimentOptions:
    """What the command line asked for.

    Attributes:
        seeds: replaces the plan's number.
    """

    name: str
    out: Path
    seeds: int | None
    address: str | None
    tracking_uri: str | None

    def plan(self) -> ExperimentPlan:
        """What runs.

        Raises:
            QsynthError: no such experiment, or one that can't be run.
        """
        plan = load_plan(self.name)
        return plan if self.seeds is None else plan.replaced(n_seeds=self.seeds)


def run_experiment(options: ExperimentOptions, *, as_json: bool) -> None:
    """``qsynth experiment``.

    Raises:
        QsynthError: an invalid experiment or folder; nothing has been written then.
        Interrupted: stopped by a signal; the same command goes on.
    """
    plan = options.plan()
    check(plan)
    check_address(options.address)
    if options.tracking_uri is not None:
        TrackingStore.make(options.tracking_uri, EXPERIMENT, options.out.absolute().name)
    folder = ExperimentFolder(options.out, plan)
    if folder.missing():
        _run(plan, folder, options, enabled=not as_json)
    cells = folder.results()
    summaries = summarise(plan, cells)
    with writing_below(options.out, "The same command goes on with what is in it"):
        report = write_report(plan, summaries, cells, options.out)
    if options.tracking_uri is not None:
        warn_undelivered(log_experiment(plan, summaries, report, options.tracking_uri), options.out)
    if as_json:
        emit({"name": plan.name, "regimes": to_dict(summaries), "report": str(report)})
        return
    console = Console()
    for summary in summaries:
        _print(console, summary)
    for line in conclusions(summaries):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"report: {report}", soft_wrap=True, highlight=False, markup=False)


def _run(plan: ExperimentPlan, folder: ExperimentFolder, options: ExperimentOptions, *, enabled: bool) -> None:
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=enabled) as progress,
            ray_session(options.address, "experiment"),
        ):
            guard.listen()
            run_missing(plan, folder, progress.stage(f"experiment {plan.name}", len(keys(plan))), guard.check)
    except STOPPED as stop:
        print(f"stopped by {stop}; the same command goes on with what is in {options.out}", file=sys.stderr)
        raise
    except QsynthError as error:
        raise QsynthError(f"{error}. The same command goes on with what is in {options.out}") from None


def _print(console: Console, summary: RegimeSummary) -> None:
    table = Table(title=f"{summary.regime}: {len(summary.data)} data sets", title_justify="left")
    for name in ("arm", "balanced accuracy", "gain, points (95 %)", "p (Holm)", "won"):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm in summary.arms:
        found = arm.over_bar
        gain = p = won = ""
        if found is not None:
            gain = f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
            p, won = f"{found.p_holm:.2g}", f"{found.won}/{found.n}"
        table.add_row(arm.name, f"{100 * arm.balanced:.1f} %", gain, p, won)
    console.print(table)

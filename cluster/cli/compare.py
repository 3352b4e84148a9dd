"""What ``qsynth compare`` does."""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from rich.console import Console

from cluster.cli.output import emit, warn_undelivered
from cluster.comparison.agent_card import fingerprint, write_comparison
from cluster.comparison.job_result import JobResultFile
from cluster.comparison.plots import plot_budgets, plot_curves, plot_leads
from cluster.comparison.report import describe_unbeaten, report_html, summary_table
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rivals.registry import FINE_TUNED, rival_names
from cluster.comparison.rivals.tpe import load_optuna
from cluster.comparison.study_comparison import ComparedAgent, ComparisonPlan, StudyComparison
from cluster.comparison.summary import ComparisonSummary, of_study, summarise
from cluster.comparison.tracking import log_comparison
from cluster.machines.session import check_address, ray_session
from cluster.study.study import Study, load_study
from cluster.system.files import atomic_write_json, atomic_write_text, check_writable
from cluster.system.interrupt import Interrupted, InterruptGuard
from cluster.system.progress import StudyProgress
from cluster.tracking.store import EXPERIMENT, TrackingStore
from qsynth.errors import QsynthError, did_you_mean
from qsynth.population.snapshot import Keep
from rl_envs.pretrained import agent_file

STARTS = ("defaults", "random")
KEEPS: tuple[Keep, ...] = get_args(Keep)
MAX_BUDGET = 1024


def run_compare(
    names: Sequence[str],
    agents: Sequence[str],
    rivals: str,
    budgets: str,
    seeds: int,
    search: int,
    retrain: bool,
    start: str,
    keep: str,
    card: bool,
    out: Path,
    address: str | None,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """``qsynth compare``.

    Raises:
        QsynthError: an invalid study, agent, rival, budget or directory; nothing has been written then.
        Interrupted: stopped by a signal; the same command goes on.
    """
    import torch

    torch.set_num_threads(1)
    if start not in STARTS:
        raise QsynthError(f"--start must be defaults or random; got {start!r}.{did_you_mean(start, STARTS)}")
    if keep not in KEEPS:
        raise QsynthError(f"--keep must be best or last; got {keep!r}.{did_you_mean(keep, KEEPS)}")
    if card and not agents:
        raise QsynthError("--card must be left out without --agent")
    if card:
        check_writable(agent_file(agents[0]))
    if tracking_uri is not None:
        TrackingStore.make(tracking_uri, EXPERIMENT, out.absolute().name)
    studies = _studies(names)
    plan = ComparisonPlan(
        studies=studies,
        entries=_entries(agents, studies),
        rivals=_rivals(rivals, studies, bool(agents)),
        budgets=_budgets(budgets),
        n_problems=seeds,
        search_trials=search,
        retrain=retrain,
        random_start=start == "random",
        keep=keep,
    )
    check_address(address)
    with closing(JobResultFile(out / "records.jsonl")) as records:
        methods, again = _play(plan, records, address, enabled=not as_json)
    agent = plan.entries[0].name if plan.entries else None
    iterations = {study.name: study.iterations_per_run for study in studies}
    n_decisions = max(study.episode.n_decisions for study in studies)
    result = summarise(methods, agent, plan.budgets, iterations, n_decisions)
    winners = None
    if again:
        one_run = [each.at(plan.budgets[0]) for each in methods if each.name == agent]
        winners = summarise([*one_run, *again], agent, plan.budgets, iterations, n_decisions)
    alone = {}
    if len(studies) > 1:
        for study in studies:
            one = {study.name: study.iterations_per_run}
            mine = of_study(methods, study.name)
            alone[study.name] = summarise(mine, agent, plan.budgets, one, study.episode.n_decisions)
    report = _write(result, winners, alone, plan, out)
    if card:
        write_comparison(agent_file(agents[0]), result)
    if tracking_uri is not None:
        warn_undelivered(log_comparison(result, winners, report, tracking_uri), out)
    if as_json:
        emit(_as_json(result, winners) | {"report": str(report)})
        return
    console = Console()
    console.print(summary_table(result))
    for line in describe_unbeaten(result):
        console.print(f"not beaten: {line}" if result.unbeaten() else line, markup=False, highlight=False)
    if winners is not None:
        console.print(summary_table(winners, "what they returned, trained again: "))
    console.print(f"report: {report}", soft_wrap=True, highlight=False)


def _play(
    plan: ComparisonPlan, records: JobResultFile, address: str | None, enabled: bool
) -> tuple[list[RivalResult], list[RivalResult]]:
    """Everybody's results, and those of the winners trained again."""
    found: dict[str, RivalResult] = {}
    again: dict[str, RivalResult] = {}
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=enabled) as progress,
            ray_session(address, "compare") as resources,
        ):
            guard.listen()
            for study in plan.studies:
                both = StudyComparison(plan, study, records, progress, guard).execute(resources)
                for methods, played in zip((found, again), both, strict=True):
                    for rival, mine in played:
                        old = methods.get(rival.name, RivalResult(rival.name, {}, {}, rival.shared, ()))
                        methods[rival.name] = replace(
                            old,
                            details=old.details | {study.name: rival.detail},
                            preparations=old.preparations | {study.name: rival.prepared},
                            records=(*old.records, *mine),
                        )
    except Interrupted as stop:
        print(f"stopped by {stop}; the same command goes on with what is in {records.path.parent}", file=sys.stderr)
        raise
    return list(found.values()), list(again.values())


def _as_json(result: ComparisonSummary, winners: ComparisonSummary | None) -> dict[str, Any]:
    return result.to_dict() | {"retrained": [] if winners is None else winners.scores()}


def _write(
    result: ComparisonSummary,
    winners: ComparisonSummary | None,
    alone: dict[str, ComparisonSummary],
    plan: ComparisonPlan,
    out: Path,
) -> Path:
    """The report and its pictures; the report's path."""
    plots = out / "plots"
    plots.mkdir(exist_ok=True)
    captions = {"Test score over the budget": plots / "budgets.png", "Validation score over time": plots / "curves.png"}
    plot_budgets(result, plots / "budgets.png")
    plot_curves(result, plots / "curves.png")
    if winners is not None:
        captions["Test score of what they returned, trained again"] = plots / "retrained.png"
        plot_budgets(winners, plots / "retrained.png")
    if result.agent is not None:
        captions["The agent's lead"] = plots / "leads.png"
        plot_leads(result, plots / "leads.png")
    lines = [
        f"{study.name}: {study.description or 'no description'}; {plan.n_problems} held-out problems, a run is "
        f"{study.iterations_per_run:,} GAN iterations in {study.episode.n_decisions} decisions"
        for study in plan.studies
    ]
    lines += [
        "Every method is charged for its GAN iterations, failed runs included, and returns the GAN with the best "
        f"validation score {'at any decision' if plan.keep == 'best' else 'of the ends of its whole runs'}; the test "
        "score is measured with fresh noise and selects nothing.",
        f"Those that do not choose their own start from {'random values' if plan.random_start else 'the defaults'}. "
        f"Tuned rivals had {plan.search_trials:,} trials each on training instances, or a few more.",
    ]
    report = out / "report.html"
    atomic_write_text(report, report_html(result, winners, alone, captions, lines))
    atomic_write_json(out / "comparison.json", _as_json(result, winners))
    return report


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
    if any(name.startswith("tpe") for name in chosen):
        load_optuna()
    for name, need in impossible.items():
        if name in chosen:
            raise QsynthError(f"rival {name} needs {need}")
    return tuple(name for name in names if name in chosen)


def _entries(agents: Sequence[str], studies: Sequence[Study]) -> tuple[ComparedAgent, ...]:
    """The agents as they act in each study.

    Raises:
        QsynthError: a file is no agent's, or does not fit a study.
    """
    from rl_envs.agents import TrainedAgent
    from rl_envs.config import make_tuner
    from rl_envs.policy import load_policy

    paths = [agent_file(name) for name in agents]
    tuners = {study.name: make_tuner(study.environment(compiled=False), 1) for study in studies} if paths else {}
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        raise QsynthError(f"agents' files must have different names; got {', '.join(names)}")
    per_run = max(study.iterations_per_run for study in studies)
    entries = []
    for path in paths:
        network, file = load_policy(path)
        acting = {
            name: TrainedAgent.of(path, network, file, tuner.features, tuner.actions) for name, tuner in tuners.items()
        }
        trained = int(file.trained("iterations") or file.trained("trials") * per_run) or None
        detail = f"{path.name}, trained for {trained:,} GAN iterations" if trained else path.name
        identity = fingerprint(network, file)
        entries.append(
            ComparedAgent(
                f"agent {path.stem}" if path.stem != "agent" else "agent",
                acting,
                (network, file),
                identity,
                trained,
                detail,
            )
        )
    return tuple(entries)

"""An experiment's report: one HTML page, one JSON file."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from qsynth.experiment.cell import CellResult
from qsynth.experiment.pictures import gains_picture, paths_picture
from qsynth.experiment.plan import ExperimentPlan
from qsynth.experiment.statistics import Gain
from qsynth.experiment.summary import ArmSummary, RegimeSummary, to_dict
from qsynth.files.atomic import atomic_write_json, atomic_write_text
from qsynth.files.html_page import html_page, html_picture, html_table

HEADER = (
    "arm",
    "balanced accuracy",
    "gain, points",
    "95 % interval",
    "p (Holm)",
    "effect",
    "data sets won",
    "share of oracle's gain",
    "cross-entropy",
    "steps",
    "Frechet",
    "CPU s",
)
ALPHA = 0.05


def write_report(
    plan: ExperimentPlan, summaries: Sequence[RegimeSummary], cells: Sequence[CellResult], folder: Path
) -> Path:
    """Write ``report.html`` and ``summary.json``; the report's path."""
    path = folder / "report.html"
    atomic_write_text(path, report_html(plan, summaries, cells))
    atomic_write_json(folder / "summary.json", {"name": plan.name, "regimes": to_dict(summaries)})
    return path


def conclusions(summaries: Sequence[RegimeSummary]) -> list[str]:
    """A sentence a regime: the best of qsynth's arms beside the bar, and the rivals that it did not beat."""
    return [_conclusion(each) for each in summaries]


def _conclusion(summary: RegimeSummary) -> str:
    best = next((arm for arm in summary.arms if arm.name == summary.best), None)
    if best is None or best.over_bar is None:
        return f"{summary.regime}: no arm of qsynth's."
    found = best.over_bar
    lead = f"{summary.regime}: {best.name} {_points(found.value)} points over {summary.bar} ({_interval(found)})"
    if found.share is not None:
        lead += f", {found.share:.0%} of what more real rows bring"
    not_beaten = [name for name, each in summary.against.items() if not (each.value > 0 and each.p_holm < ALPHA)]
    return f"{lead}. " + (f"Not beaten: {', '.join(not_beaten)}." if not_beaten else "Every rival is beaten.")


def report_html(plan: ExperimentPlan, summaries: Sequence[RegimeSummary], cells: Sequence[CellResult]) -> str:
    """The page's text."""
    parts = [f'<p class="summary">{"<br>".join(map(escape, conclusions(summaries)))}</p>']
    for each in summaries:
        mine = [cell for cell in cells if cell.regime == each.regime]
        parts += [
            f"<h2>{escape(each.regime)}</h2>",
            f"<p>{len(mine)} data sets: {escape(', '.join(each.data))}; {plan.n_seeds} seeds.</p>",
            html_picture(gains_picture(each), f"gains of all arms, {each.regime}"),
            html_picture(paths_picture(each, mine, plan.qnn.n_steps), f"accuracy over steps, {each.regime}"),
            html_table(HEADER, [_line(arm) for arm in each.arms], [arm.role == "gan" for arm in each.arms]),
        ]
        if each.best is not None:
            lines = [[name, *_gain(found)] for name, found in each.against.items()]
            header = [f"{each.best} over", "gain, points", "95 % interval", "p (Holm)", "effect", "data sets won"]
            parts += [f"<p>{escape(each.best)}, the best of qsynth's here, beside each rival:</p>"]
            parts += [html_table(header, lines)]
    parts += ["<h2>How it was measured</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in _rules(plan)), "</ul>"]
    return html_page(f"Experiment {plan.name}", parts)


def _rules(plan: ExperimentPlan) -> list[str]:
    qnn = plan.qnn
    return [
        f"QNN: {qnn.ansatz}, {qnn.n_layers} layers, {qnn.n_starts} starts that all arms share, {qnn.n_steps} steps of "
        f"Adam at {qnn.lr:g}; fits that stop early stop where two folds of the real rows say.",
        f"{plan.n_synthetic} synthetic rows, every class alike, with {plan.share:.0%} of the weight.",
        "Test rows are the same in all seeds of a data set; nothing is chosen with them.",
        "The bar is the best arm of real rows alone in its regime, and the oracle the best with more real rows: both "
        "are chosen by their test accuracy, which favours them.",
        "An interval counts the spread over seeds and that over test rows. It is for these data sets.",
        "Effect: the mean of a seed's gains over their standard deviation. Steps: until the bar's own end, less one "
        "point, is reached. CPU s: of one seed's synthetic rows, beside the QNN's own fit.",
        "The best of qsynth's arms is named after the fact: what it leads others of qsynth's by is no finding.",
    ]


def _line(arm: ArmSummary) -> list[str]:
    found = arm.over_bar
    share = ""
    if found is not None and found.share is not None:
        share = f"{found.share:.0%} ({found.share_low:.0%} to {found.share_high:.0%})"
    return [
        arm.name,
        f"{100 * arm.balanced:.1f} %",
        *(["", "", "", "", ""] if found is None else _gain(found)),
        share,
        f"{arm.cross_entropy:.3f}",
        "" if arm.steps is None else "never" if arm.steps == float("inf") else f"{arm.steps:.0f}",
        "" if arm.frechet is None else f"{arm.frechet:.3f}",
        f"{arm.seconds:.2f}" if arm.seconds else "",
    ]


def _gain(found: Gain) -> list[str]:
    won = f"{found.won} of {found.n}" + ("" if found.p_data is None else f" (p {found.p_data:.3f})")
    return [_points(found.value), _interval(found), f"{found.p_holm:.3g}", f"{found.effect:.2f}", won]


def _interval(found: Gain) -> str:
    return f"{_points(found.low)} to {_points(found.high)}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"

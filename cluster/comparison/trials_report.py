"""What a comparison's trials say of hyperparameters, circuits and shots, for people."""

from collections.abc import Mapping, Sequence
from html import escape

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.fronts import PRICES, TrialPoint
from cluster.comparison.importance import Importance

ABOUT_IMPORTANCE = (
    "Of trials with constants. Change: of the validation score from the low end of the hyperparameter's range to the "
    "high end, by a linear regression within problems, with a 95 % bootstrap interval over problems. Importance: the "
    "share of variance that a random forest no longer explains on problems that it has not seen once this "
    "hyperparameter is dealt out anew, with a 95 % interval over five folds of problems."
)
ABOUT_FRONTS = (
    "Trials that no other beats for as few circuits, or shots, as they took themselves; the search for them took more. "
    "Scores are on validation, less what their problem is easier or harder than others, and the best of many: a "
    "trial that is trained again scores less."
)


def trials_html(result: ComparisonResult) -> list[str]:
    """Headings and tables: what matters, and what is best for its price; none where no trials were kept."""
    importance, fronts = result.importance, result.fronts
    parts = []
    if importance:
        parts += ["<h2>Hyperparameters: importance and effects</h2>", f"<p>{escape(ABOUT_IMPORTANCE)}</p>"]
        for name, each in importance.items():
            parts += [_heading(name, importance), f"<p>{escape(counted(each))}</p>", _effects(each)]
    if fronts:
        parts += ["<h2>The best trials for what they took</h2>", f"<p>{escape(ABOUT_FRONTS)}</p>"]
        for name, found in fronts.items():
            parts.append(_heading(name, fronts))
            for price in PRICES:
                parts += [f"<p>By {price}:</p>", _front(price, found.front(price))] if found.front(price) else []
    return parts


def counted(found: Importance) -> str:
    """The conclusion, with how much it stands on."""
    return f"{found.conclusion} ({found.n_trials:,} trials on {found.n_problems} problems.)"


def _heading(name: str, among: Mapping[str, object]) -> str:
    return f"<h3>{escape(name)}</h3>" if len(among) > 1 else ""


def _effects(found: Importance) -> str:
    if found.regression is None:
        return ""
    rows = [
        [
            escape(each.name),
            _with_interval(f"{each.importance:.3f}", f"{each.importance_low:.3f} to {each.importance_high:.3f}"),
            _with_interval(f"{each.change:+.3f}", f"{each.low:+.3f} to {each.high:+.3f}"),
        ]
        for each in found.regression.effects
    ]
    return _table(["hyperparameter", "importance", "change of the score"], rows)


def _front(price: str, points: Sequence[TrialPoint]) -> str:
    rows = [
        [f"{getattr(each, price):,}", f"{each.score:.3f}", escape(each.rival), str(each.problem), _described(each)]
        for each in points
    ]
    return _table([price, "score", "rival", "problem", "hyperparameters"], rows)


def _described(point: TrialPoint) -> str:
    values = ", ".join(f"{name}={value:.3g}" for name, value in sorted(point.values.items()))
    return escape(values if point.held else f"at its end {values}")


def _with_interval(value: str, interval: str) -> str:
    return f"{value}<br><small>{interval}</small>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Of cells that are HTML; hyperparameters are text."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    marks = [' class="text"' if name == "hyperparameters" else "" for name in header]
    lines = ["".join(f"<td{mark}>{cell}</td>" for mark, cell in zip(marks, row, strict=True)) for row in rows]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'

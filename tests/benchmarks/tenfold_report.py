"""Circuits to a target, as tables and a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.report import table

REAL, DISTILLED, STEP_SIZES = "real rows", "distilled rows", "real rows, learned step sizes"
FEW = ("minibatch", "coreset")
LESS = 0.01
TENTH, HALF = 10.0, 2.0

Floats = NDArray[np.float64]
CurveData = dict[str, Any]


class Reached(NamedTuple):
    """The curve of an arm that reached its target first, and when: rows for each split, infinite where never."""

    curve: CurveData
    rows: Floats

    @property
    def median(self) -> float:
        return float(np.median(self.rows))

    @property
    def name(self) -> str:
        return f"{self.curve['arm']}, {self.curve['setting']}".removesuffix(", ")


def of_arm(curves: Sequence[CurveData], prefix: str) -> list[CurveData]:
    """Those whose arm is called so, or begins so where there are several."""
    return [curve for curve in curves if curve["arm"] == prefix or curve["arm"].startswith(f"{prefix} of ")] or [
        curve for curve in curves if curve["arm"].startswith(f"{prefix}:")
    ]


def targets(curves: Sequence[CurveData]) -> Floats:
    """For each split, what full-batch training reaches where its mean over the splits is best, less a point."""
    real = [np.array(curve["accuracy"]) for curve in of_arm(curves, REAL)]
    best = max(real, key=lambda accuracy: accuracy.mean(axis=0).max())
    return np.asarray(best[:, best.mean(axis=0).argmax()] - LESS)


def first_rows(curve: CurveData, target: Floats) -> Floats:
    """Rows until the target, between two looks by interpolation; distilled rows and learned steps count whole steps."""
    rows, whole = curve["rows"], curve["arm"] in (DISTILLED, STEP_SIZES)
    found = []
    for accuracy, wanted in zip(np.array(curve["accuracy"]), target, strict=True):
        at = int((accuracy >= wanted).argmax())
        if accuracy[at] < wanted:
            found.append(np.inf)
        elif at == 0 or whole:
            found.append(float(rows[at]))
        else:
            share = (wanted - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
            found.append(rows[at - 1] + share * (rows[at] - rows[at - 1]))
    return np.array(found)


def first(curves: Sequence[CurveData], target: Floats) -> Reached:
    """The curve with the smallest median of rows to the target, then with the highest accuracy."""
    reached = [Reached(curve, first_rows(curve, target)) for curve in curves]
    return min(reached, key=lambda each: (each.median, -np.array(each.curve["accuracy"]).mean(axis=0).max()))


def compared(curves: Sequence[CurveData]) -> dict[str, Reached]:
    """Who reaches the target first, of each kind."""
    target = targets(curves)
    kinds = {kind: of_arm(curves, kind) for kind in (REAL, *FEW, STEP_SIZES, DISTILLED)}
    return {kind: first(members, target) for kind, members in kinds.items() if members}


def ratios(found: dict[str, Reached]) -> tuple[float, float]:
    """Of distilled rows' circuits, those that all real rows need, and the best of minibatches and coresets."""
    own = found[DISTILLED].median
    few = min(found[kind].median for kind in FEW if kind in found)
    return found[REAL].median / own, few / own if np.isfinite(own) else 0.0


def markdown(rows: list[dict[str, Any]]) -> str:
    """Two tables: the QNN that rows were distilled for, and others."""
    lines, others = [], []
    met = 0
    for row in rows:
        found, per_row = compared(row["curves"]), row["circuits_per_row"]
        of_real, of_few = ratios(found)
        met += of_real >= TENTH and of_few >= HALF
        cost = row["distilling"]
        cells = [_circuits(found[kind], per_row) for kind in (REAL, *FEW, STEP_SIZES, DISTILLED)]
        distilling = f"{cost['rows']:,} rows, {cost['cpu_s_a_split']:.0f} s"
        aim = _percent(targets(row["curves"]).mean())
        lines.append([row["table"], aim, *cells, _ratio(of_real), _ratio(of_few), distilling])
        for ansatz, of_other in row["others"].items():
            there = compared(of_other["curves"])
            cells = [_circuits(there[kind], of_other["circuits_per_row"]) for kind in (REAL, "minibatch", DISTILLED)]
            aim = _percent(targets(of_other["curves"]).mean())
            others.append([row["table"], f"`{ansatz}`", aim, *cells, *(_ratio(each) for each in ratios(there))])
    header = ["table", "target", "real rows", "best minibatch", "best coreset", "learned step sizes", "distilled rows"]
    header += ["real / distilled", "best rival / distilled", "distilling, a split"]
    verdict = f"A tenth of real rows' circuits and half of the best rival's: on {met} of {len(rows)} tables."
    of_others = ["table", "ansatz", "target", "real rows", "minibatches of 2", "distilled rows"]
    parts = [
        "Circuits to the target: median over splits (least to most).",
        table(header, lines),
        verdict,
        "Rows distilled for `strongly_entangling`, other ansaetze trained on them:",
        table([*of_others, "real / distilled", "best rival / distilled"], others),
    ]
    return "\n\n".join(parts) + "\n"


def short(rows: list[dict[str, Any]]) -> str:
    """Real rows, a minibatch and distilled rows, a line for each table."""
    lines = []
    for row in rows:
        found = compared(row["curves"])
        cells = [_circuits(found[kind], row["circuits_per_row"]) for kind in (REAL, "minibatch", DISTILLED)]
        lines.append([row["table"], _percent(targets(row["curves"]).mean()), *cells, *map(_ratio, ratios(found))])
    header = ["table", "target", "real rows", "minibatch", "distilled rows"]
    return table([*header, "real / distilled", "minibatch / distilled"], lines) + "\n"


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """A panel for each table: balanced accuracy over circuits, of the settings that were first."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(rows), 4), layout="constrained")
    for axes, row in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, strict=True):
        for kind, each in compared(row["curves"]).items():
            circuits = row["circuits_per_row"] * np.array(each.curve["rows"])
            axes.plot(circuits, 100 * np.array(each.curve["accuracy"]).mean(axis=0), label=kind)
        axes.axhline(100 * targets(row["curves"]).mean(), color="k", linestyle=":", label="target")
        axes.set(title=row["table"], xscale="log", xlabel="circuits", ylabel="balanced accuracy, %")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def write(out: Path, rows: list[dict[str, Any]]) -> None:
    """The table and the picture beside the result."""
    out.with_suffix(".md").write_text(markdown(rows))
    plot(rows, out.with_suffix(".png"))


def _circuits(reached: Reached, per_row: int) -> str:
    low, high = (_number(per_row * value) for value in (reached.rows.min(), reached.rows.max()))
    arm = reached.curve["arm"].removeprefix("minibatch of ").removeprefix("coreset: ")
    which = "" if reached.curve["arm"] in (REAL, DISTILLED, STEP_SIZES) else f"; {arm}"
    return f"{_number(per_row * reached.median)} ({low} to {high}){which}"


def _number(value: float) -> str:
    return "never" if np.isinf(value) else f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _ratio(value: float) -> str:
    if value == 0:
        return "missed"
    return "more" if np.isinf(value) else f"{value:.1f}"

"""What an experiment showed: a table a kind of regime."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsynth.experiment.arms import BARS, ORACLES, find_arm
from qsynth.experiment.cell import LOGISTIC, CellResult
from qsynth.experiment.fits import looks
from qsynth.experiment.plan import ExperimentPlan
from qsynth.experiment.statistics import Gain, gain, holm, steps_to, with_share

RIVALS = ("real rows", "augmentation", "yardstick")


@dataclass(frozen=True, kw_only=True)
class ArmSummary:
    """An arm over the data sets of a regime.

    Attributes:
        balanced, accuracy, cross_entropy: means.
        over_bar: gain over the bar; None of the bar itself.
        steps: median of the steps to what the bar's fits end with, less one point; infinite where more than half never
            get there.
        frechet, entropy: of the synthetic rows; None without any.
        seconds: CPU time of one seed's synthetic rows.
    """

    name: str
    about: str
    role: str
    balanced: float
    accuracy: float
    cross_entropy: float
    over_bar: Gain | None
    steps: float | None
    frechet: float | None
    entropy: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RegimeSummary:
    """All arms in one regime, the best first.

    Attributes:
        bar: the best arm of real rows alone. It is chosen by its test accuracy, which favours it.
        oracle: the best of those with more real rows, chosen likewise.
        against: gain of the best qsynth arm over each rival, Holm-corrected.
        best: that arm; chosen on the same rows, so its lead over others of qsynth's is no finding.
    """

    regime: str
    data: list[str]
    bar: str
    oracle: str
    arms: list[ArmSummary]
    best: str | None
    against: dict[str, Gain]


def summarise(plan: ExperimentPlan, cells: Sequence[CellResult]) -> list[RegimeSummary]:
    """Tables of the regimes of which there are cells."""
    found = []
    for regime in plan.regimes:
        mine = [cell for cell in cells if cell.regime == regime.title]
        if mine:
            found.append(_regime(plan, regime.title, mine))
    return found


def _regime(plan: ExperimentPlan, title: str, cells: Sequence[CellResult]) -> RegimeSummary:
    names = [name for name in cells[0].arms if all(name in cell.arms for cell in cells)]
    bar, oracle = (max(group, key=lambda name: _mean(cells, name, "balanced")) for group in (BARS, ORACLES))
    gains = holm({name: gain(cells, name, bar) for name in names if name != bar})
    gains = {name: with_share(each, cells, name, bar, oracle) for name, each in gains.items()}
    arms = [_arm(plan, name, bar, cells, gains.get(name)) for name in names]
    arms.sort(key=lambda arm: -arm.balanced)
    ours = [arm.name for arm in arms if arm.role == "gan"]
    rivals = [arm.name for arm in arms if arm.role in RIVALS]
    against = {} if not ours else holm({name: gain(cells, ours[0], name) for name in rivals})
    return RegimeSummary(
        regime=title,
        data=[cell.data for cell in cells],
        bar=bar,
        oracle=oracle,
        arms=arms,
        best=ours[0] if ours else None,
        against=against,
    )


def _mean(cells: Sequence[CellResult], name: str, what: str) -> float:
    """Mean over data sets and seeds."""
    return float(np.mean([np.mean(getattr(cell.arms[name], what)) for cell in cells]))


def _arm(plan: ExperimentPlan, name: str, bar: str, cells: Sequence[CellResult], over_bar: Gain | None) -> ArmSummary:
    results = [cell.arms[name] for cell in cells]
    made = all(result.frechet for result in results)
    arm = None if name == LOGISTIC else find_arm(name)
    return ArmSummary(
        name=name,
        about="on the real rows, classes weighted equally" if arm is None else arm.about,
        role="beside" if arm is None else arm.role,
        balanced=_mean(cells, name, "balanced"),
        accuracy=_mean(cells, name, "accuracy"),
        cross_entropy=_mean(cells, name, "cross_entropy"),
        over_bar=over_bar,
        steps=None if arm is None else _steps(plan, name, bar, cells),
        frechet=_mean(cells, name, "frechet") if made else None,
        entropy=_mean(cells, name, "entropy") if made else None,
        seconds=float(np.mean([result.seconds for result in results])) / plan.n_seeds,
    )


def _steps(plan: ExperimentPlan, name: str, bar: str, cells: Sequence[CellResult]) -> float:
    """Median over data sets and seeds of the steps to the bar's own end less one point."""
    steps = looks(plan.qnn.n_steps)
    found = [
        steps_to(np.array(path), steps, float(np.mean(cell.arms[bar].balanced)) - 0.01)
        for cell in cells
        for path in cell.arms[name].path
    ]
    return float(np.median(found))


def to_dict(summaries: Sequence[RegimeSummary]) -> list[dict[str, Any]]:
    """JSON-serialisable; steps that are never reached are None."""
    return [
        {
            "regime": each.regime,
            "data": each.data,
            "bar": each.bar,
            "oracle": each.oracle,
            "best": each.best,
            "arms": [
                {
                    **vars(arm),
                    "over_bar": None if arm.over_bar is None else arm.over_bar.to_dict(),
                    "steps": None if arm.steps == float("inf") else arm.steps,
                }
                for arm in each.arms
            ],
            "against": {name: found.to_dict() for name, found in each.against.items()},
        }
        for each in summaries
    ]

"""An experiment in MLflow: accuracies and gains as metrics, one child run an arm, the report as an artifact."""

import re
from collections.abc import Sequence
from pathlib import Path

from cluster.tracking.store import EXPERIMENT
from cluster.tracking.tracker import Tracker
from qsynth.experiment.plan import ExperimentPlan
from qsynth.experiment.report import conclusions
from qsynth.experiment.summary import ArmSummary, RegimeSummary


def log_experiment(plan: ExperimentPlan, summaries: Sequence[RegimeSummary], report: Path, uri: str) -> int:
    """Log an experiment as a run of its own; the name is its folder's.

    Args:
        report: in the experiment's folder.
        uri: of the MLflow server or database.

    Returns:
        How many records could not be delivered; they are kept in the folder, for ``qsynth sync``.

    Raises:
        QsynthError: an unfit URI or folder's name.
    """
    folder = report.parent.absolute()
    tracker = Tracker(folder, uri, EXPERIMENT, folder.name)
    params = {
        "experiment": plan.name,
        "data": ", ".join(plan.data),
        "seeds": plan.n_seeds,
        "n_synthetic": plan.n_synthetic,
        "share": plan.share,
        "qnn": plan.qnn.ansatz,
    }
    tracker.start_study(params, {"qsynth.kind": "experiment"})
    for name in dict.fromkeys(arm.name for summary in summaries for arm in summary.arms):
        key = _metric(name)
        tracker.start_trial(key, {"arm": name}, {"qsynth.kind": "arm"})
        for summary in summaries:
            for arm in summary.arms:
                if arm.name == name:
                    tracker.log(_values(_metric(summary.regime), arm), step=0, trial=key)
        tracker.end_trial(key, "FINISHED")
    for summary in summaries:
        for arm in summary.arms:
            tracker.log({f"{_metric(summary.regime)}/{_metric(arm.name)}": arm.balanced}, step=0)
    tracker.set_tags({"conclusion": " ".join(conclusions(summaries))})
    tracker.log_artifact(report)
    tracker.log_artifact(folder / "summary.json")
    return tracker.close("FINISHED")


def _values(regime: str, arm: ArmSummary) -> dict[str, float]:
    values = {"balanced_accuracy": arm.balanced, "accuracy": arm.accuracy, "cross_entropy": arm.cross_entropy}
    if arm.over_bar is not None:
        found = arm.over_bar
        values |= {"gain": found.value, "gain_low": found.low, "gain_high": found.high, "p_holm": found.p_holm}
    values |= {} if arm.frechet is None else {"frechet": arm.frechet}
    values |= {"steps": arm.steps} if arm.steps is not None and arm.steps < float("inf") else {}
    return {f"{regime}/{name}": value for name, value in values.items()}


def _metric(name: str) -> str:
    """A name as MLflow takes it."""
    return re.sub(r"[^\w.\- ]", "-", name)

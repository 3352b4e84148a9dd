"""A comparison in MLflow: one run with the scores as metrics and the report as an artifact."""

import re
from pathlib import Path

from cluster.comparison.summary import ComparisonSummary
from cluster.tracking.store import EXPERIMENT
from cluster.tracking.tracker import Tracker


def log_comparison(found: ComparisonSummary, winners: ComparisonSummary | None, report: Path, uri: str) -> int:
    """Log what was found.

    Args:
        winners: what the methods returned, trained again; None if that was not done.
        report: in the comparison's folder, whose name becomes the run's.
        uri: of the MLflow server or database.

    Returns:
        How many records could not be delivered; they are kept in the folder, for ``qsynth sync``.

    Raises:
        QsynthError: an unfit URI or folder's name.
    """
    folder = report.parent.absolute()
    tracker = Tracker(folder, uri, EXPERIMENT, folder.name)
    params = {
        "studies": ", ".join(found.iterations),
        "budgets": ", ".join(map(str, found.budgets)),
        "problems": found.n_problems,
        "agent": found.agent or "none",
    }
    tracker.start_study(params, {"qsynth.kind": "comparison"})
    again = () if winners is None else (each for each in winners.methods if each.method.name != found.agent)
    for each in (*found.methods, *again):
        name = re.sub(r"[^\w.\- ]", "", each.method.name)
        for runs, test in each.test.items():
            values = {f"{name}/test": test.value, f"{name}/test_low": test.low, f"{name}/test_high": test.high}
            if runs in each.lead:
                values[f"{name}/agent_better"] = each.lead[runs].value
            tracker.log(values, step=runs)
    tracker.log_artifact(report)
    return tracker.close("FINISHED")

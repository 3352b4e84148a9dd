"""A comparison in MLflow: scores as metrics, the report as an artifact."""

import re
from pathlib import Path

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.rows_summary import RowsSummary
from cluster.tracking.leaderboard import log_final_scores
from cluster.tracking.store import EXPERIMENT
from cluster.tracking.tracker import Tracker

CONCLUSION_TAG = "conclusion"


def log_comparison(result: ComparisonResult, report: Path, uri: str) -> int:
    """Log a comparison as a run of its own.

    Args:
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
        "studies": ", ".join(result.iterations),
        "budgets": ", ".join(map(str, result.budgets)),
        "problems": result.summary.n_problems,
        "agent": result.agent or "none",
    }
    tracker.start_study(params, {"qsynth.kind": "comparison"})
    log_scores(tracker, result)
    tracker.log_artifact(report)
    return tracker.close("FINISHED")


def log_scores(tracker: Tracker, result: ComparisonResult) -> None:
    """Log everybody's test scores on the run; the steps are budgets in runs.

    What they returned, trained again, goes beside it. With the smallest budget they are also the run's final scores,
    but for those of ablations.
    """
    first = result.budgets[0]
    final = {
        _metric(each.rival.name): each.test[first]
        for each in result.summary.rivals
        if first in each.test and not each.rival.only_once
    }
    log_final_scores(tracker, {name: (test.value, test.low, test.high) for name, test in final.items()})
    winners = result.retrained_summary
    again = () if winners is None else (each for each in winners.rivals if each.rival.name != result.agent)
    for each in (*result.summary.rivals, *again):
        name = _metric(each.rival.name)
        for runs, test in each.test.items():
            values = {f"{name}/test": test.value, f"{name}/test_low": test.low, f"{name}/test_high": test.high}
            if runs in each.lead:
                values[f"{name}/agent_better"] = each.lead[runs].value
            tracker.log(values, step=runs)
    if result.rows is not None:
        log_rows(tracker, result.rows)


def log_rows(tracker: Tracker, rows: RowsSummary) -> None:
    """Log what rows are worth beside the GAN's, and tag the run with what to conclude; the GAN's own are ``gan``."""
    for name, each in (("gan", rows.gan), *((_metric(each.name), each) for each in rows.others)):
        score = each.score
        values = {"test": score.value, "test_low": score.low, "test_high": score.high, "cpu_seconds": each.cpu_seconds}
        values |= {f"utility.{term}": value for term, value in each.terms.items()}
        values |= {} if each.memorised is None else {"memorised": each.memorised}
        values |= {} if each.gan is None else {"gan_above": each.gan.value}
        tracker.log({f"rows/{name}/{what}": value for what, value in values.items()}, step=0)
    tracker.set_tags({CONCLUSION_TAG: rows.conclusion})


def _metric(name: str) -> str:
    """A rival's name as MLflow takes it."""
    return re.sub(r"[^\w.\- ]", "", name)

"""What studies have found, out of MLflow."""

from collections.abc import Mapping
from math import nan
from typing import Any

import pandas as pd

from cluster.tracking.runs import ROLE_TAG, STUDY_TAG
from cluster.tracking.store import EXPERIMENT, TrackingStore
from cluster.tracking.tracker import Tracker
from qsynth.errors import QsynthError, did_you_mean

SCORE, LOW, HIGH = "final_score/", "final_score_low/", "final_score_high/"
COLUMNS = ["run", "rival", "score", "low", "high"]


def log_final_scores(tracker: Tracker, scores: Mapping[str, tuple[float, float, float]]) -> None:
    """Log what :func:`leaderboard` shows of a run.

    Args:
        scores: rival -> score, and the ends of its 95 % interval.
    """
    tracker.log({"best_score": max(score for score, _, _ in scores.values())}, step=0)
    for place, kind in enumerate((SCORE, LOW, HIGH)):
        tracker.log({f"{kind}{rival}": values[place] for rival, values in scores.items()}, step=0)


def leaderboard(tracking_uri: str, runs: list[str]) -> pd.DataFrame:
    """A row for each rival of each complete run: run, rival, score, low, high; the best of a run first.

    Runs of earlier versions have no intervals.

    Args:
        runs: names of runs; none: all, the latest first.

    Raises:
        QsynthError: the store does not answer, or a run is unknown or has not measured anything yet.
    """
    store = TrackingStore.make(tracking_uri, EXPERIMENT, "results")
    if store.file is not None and not store.file.is_file():
        raise QsynthError(f"tracking uri must name an existing file; got {tracking_uri!r}")
    client = store.client()
    try:
        experiment = client.get_experiment_by_name(EXPERIMENT)
        condition = f"tags.`{ROLE_TAG}` = 'study'"
        found = client.search_runs([experiment.experiment_id], condition, max_results=1000) if experiment else []
    except Exception as error:  # MLflow raises what its HTTP or SQL library does
        reason = " ".join(str(error).split())[:200]
        raise QsynthError(f"MLflow at {tracking_uri} does not answer: {reason}") from None
    by_name = {run.data.tags[STUDY_TAG]: run for run in found}
    for name in runs:
        if name not in by_name:
            raise QsynthError(f"no run {name!r} in {tracking_uri}.{did_you_mean(name, by_name)}")
        if not _scores(by_name[name]):
            raise QsynthError(f"run {name!r} has not measured its rivals yet: {by_name[name].info.status}")
    rows = [(name, *row) for name in runs or by_name for row in _scores(by_name[name])]
    return pd.DataFrame(rows, columns=COLUMNS)


def _scores(run: Any) -> list[tuple[str, float, float, float]]:
    """Rival, score, and the ends of its interval; the best first."""
    metrics = run.data.metrics
    rivals = [key.removeprefix(SCORE) for key in metrics if key.startswith(SCORE)]
    rows = [
        (rival, metrics[SCORE + rival], metrics.get(LOW + rival, nan), metrics.get(HIGH + rival, nan))
        for rival in rivals
    ]
    return sorted(rows, key=lambda row: -row[1])

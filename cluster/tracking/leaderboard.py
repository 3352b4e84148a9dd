"""What studies have found, out of MLflow."""

from pathlib import Path
from typing import Any

import pandas as pd

from cluster.tracking.runs import ROLE_TAG, STUDY_TAG
from cluster.tracking.store import EXPERIMENT, SQLITE, TrackingStore
from qsynth.errors import QsynthError, did_you_mean

SCORE, SCORE_SD = "final_score/", "final_score_sd/"


def results(tracking_uri: str, runs: list[str]) -> pd.DataFrame:
    """A row for each contender of each complete run: run, contender, score, sd; the best of a run first.

    Args:
        runs: names of runs; none: all, the latest first.

    Raises:
        QsynthError: the store does not answer, or a run is unknown or has not measured anything yet.
    """
    store = TrackingStore.make(tracking_uri, EXPERIMENT, "results")
    if store.uri.startswith(SQLITE) and not Path(store.uri.removeprefix(SQLITE)).is_file():
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
            raise QsynthError(f"run {name!r} has not measured its contenders yet: {by_name[name].info.status}")
    rows = [
        {"run": name, "contender": contender, "score": mean, "sd": sd}
        for name in runs or by_name
        for contender, mean, sd in _scores(by_name[name])
    ]
    return pd.DataFrame(rows, columns=["run", "contender", "score", "sd"])


def _scores(run: Any) -> list[tuple[str, float, float]]:
    """Contender, mean and standard deviation of its scores; the best first."""
    metrics = run.data.metrics
    found = [
        (key.removeprefix(SCORE), value, metrics[SCORE_SD + key.removeprefix(SCORE)])
        for key, value in metrics.items()
        if key.startswith(SCORE) and SCORE_SD + key.removeprefix(SCORE) in metrics
    ]
    return sorted(found, key=lambda row: -row[1])

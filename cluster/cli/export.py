"""``qsynth export``."""

import shlex
from pathlib import Path

from cluster.cli.output import emit
from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.optuna_export import to_optuna
from cluster.results.optuna_studies import shown_url, storage_url
from cluster.study.run_directory import RunDirectory


def run_export(folder: Path, storage: str, name: str | None, *, as_json: bool) -> None:
    """Write the trials of a finished comparison into an Optuna storage, and say how its dashboard opens it.

    Raises:
        QsynthError: no finished comparison, none of its trials were kept, or the storage can't take them.
    """
    url = storage_url(storage)
    result = ComparisonResult.read(RunDirectory(folder).comparison)
    written = to_optuna(result, url, name or folder.absolute().name)
    if as_json:
        emit({"storage": shown_url(url), "studies": written})
        return
    for study, count in written.items():
        print(f"{study}: {count:,} trials")
    print(f"open with: {shlex.join(['optuna-dashboard', shown_url(url)])}")

"""What the runs of a study are tagged with, for people who look for them."""

import getpass
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from cluster.study.study import Study
from rl_envs.rollout import Episode

GIT_SECONDS = 5.0
# What the runs of trials have of their study's: the last four are what MLflow shows as source, user and version.
OF_STUDY = (
    *("study", "data", "n_qubits", "ansatz", "engine"),
    *("mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit", "mlflow.user"),
)


def study_tags(study: Study, engine: str, engine_reason: str, execution: str) -> dict[str, str]:
    """Tags of the parent run: what is studied, on which circuit, and with which code."""
    tags = {
        "study": study.name,
        "data": study.data.title,
        "n_qubits": str(study.trial.n_qubits),
        "ansatz": study.trial.ansatz,
        "engine": engine,
        "tuned": ", ".join(sorted(study.trial.search_space)),
        "version": version("qsynth"),
        "qsynth.engine.reason": engine_reason,
        "qsynth.execution": execution,
        "mlflow.source.name": f"qsynth tune {study.name}",
        "mlflow.source.type": "LOCAL",
    }
    if study.description:
        tags["description"] = study.description
    with suppress(OSError, KeyError):  # a user without a name, as in a container
        tags["mlflow.user"] = getpass.getuser()
    if commit := _commit():
        tags["mlflow.source.git.commit"] = commit
    return tags


def tags_of_study(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of a study's tags that the runs below it have too."""
    return {name: tags[name] for name in OF_STUDY if name in tags}


def trial_tags(study_tags: Mapping[str, str], rival: str, episode: Episode) -> dict[str, str]:
    """Tags of a child run: what its study is about, who tuned it on what, why it ended, what ailed it, and how it was
    treated for that (e.g. ``shrink before decision 3``)."""
    kept = tags_of_study(study_tags)
    of_episode = {
        "instance": episode.instance,
        "reason": episode.reason,
        "ailments": ", ".join(episode.ailments) or "none",
    }
    if episode.recoveries:
        treated = (f"{how} before decision {at}" for at, how in episode.recoveries.items())
        of_episode["recoveries"] = ", ".join(treated)
    return {**kept, "rival": rival, **of_episode}


def _commit() -> str | None:
    """The commit that this file is from; None where it isn't run from a checkout."""
    file = Path(__file__)
    command = ["git", "-C", str(file.parent), "rev-parse", "HEAD", f"HEAD:./{file.name}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.split()[0]

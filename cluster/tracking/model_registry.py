"""Generators in MLflow's model registry: one version a run for ever, and the alias of the best one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BEST = "best"
SCORE_TAG = "score"


@dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """What the registry shows of a version.

    Attributes:
        name: in the registry.
        folder: among the run's artifacts.
        score: versions are compared by it; more is better.
        description: Markdown.
    """

    name: str
    folder: str
    score: float
    tags: Mapping[str, str]
    description: str


def register(client: Any, run_id: str, model: Mapping[str, Any]) -> None:
    """Register a model folder that lies among a run's artifacts; a second call changes the version it made before.

    The version with the highest ``score`` has the alias ``best``; the newest one is MLflow's own ``latest``.

    Args:
        model: a :class:`RegisteredModel` as plain data.

    Raises:
        Exception: whatever MLflow raises when it can't be reached or refuses.
    """
    name, description = model["name"], model["description"]
    tags = {**model["tags"], SCORE_TAG: repr(float(model["score"]))}
    _make_sure_of(client, name)
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if found:
        version = found[0]
        client.update_model_version(name, version.version, description)
        for key, value in tags.items():
            client.set_model_version_tag(name, version.version, key, value)
    else:
        source = f"{client.get_run(run_id).info.artifact_uri}/{model['folder']}"
        version = client.create_model_version(name, source, run_id, tags=tags, description=description)
    best = client.get_registered_model(name).aliases.get(BEST)
    if best is None or _score(client, name, str(best)) < float(model["score"]):
        client.set_registered_model_alias(name, BEST, version.version)


def _make_sure_of(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(
            name, description="Generators of synthetic rows, one version a run of the study."
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _score(client: Any, name: str, version: str) -> float:
    """The score of a version; below all others for one that somebody else registered."""
    try:
        return float(client.get_model_version(name, version).tags[SCORE_TAG])
    except (KeyError, ValueError):
        return float("-inf")

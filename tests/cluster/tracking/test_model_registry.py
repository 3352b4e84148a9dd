"""Notes, data sets and registered models: delivered whole, and once, however often they are sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.tracking.dataset_input import DatasetInput
from cluster.tracking.delivery import Delivery
from cluster.tracking.journal import OFFSET_NAME
from cluster.tracking.model_registry import RegisteredModel
from cluster.tracking.store import TrackingStore
from cluster.tracking.sync import sync
from cluster.tracking.tracker import Tracker
from qsynth.errors import QsynthError

pytestmark = pytest.mark.filterwarnings(
    "ignore:The ``noload`` loader strategy is deprecated:sqlalchemy.exc.SADeprecationWarning"
)
DATASET = DatasetInput(
    name="iris",
    digest="abc",
    source_type="code",
    source=json.dumps({"tags": {}}),
    schema="{}",
    profile="{}",
    context="training",
)


def model(score: float, **tags: str) -> RegisteredModel:
    return RegisteredModel(
        name="qsynth-s", folder="generator", score=score, tags={"data": "iris", **tags}, description=f"scores {score}"
    )


def deliver(run_dir: Path, uri: str, study: str, *models: RegisteredModel) -> None:
    folder = run_dir / "generator"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    tracker = Tracker(run_dir, uri, "e", study)
    tracker.start_study({}, {})
    tracker.log_dataset(DATASET)
    tracker.set_note("![a](plots/a b.png) ![b](plots/b.png) ![c](https://c/c.png)")
    for each in models:
        tracker.register_model(folder, each)
    assert tracker.close("FINISHED") == 0


def registered(uri: str) -> tuple[Any, list[Any]]:
    client = TrackingStore(uri, "e", "s").client()
    versions = sorted(client.search_model_versions("name = 'qsynth-s'"), key=lambda version: int(version.version))
    return client, versions


def best(client: Any) -> int:
    [(alias, version)] = client.get_registered_model("qsynth-s").aliases.items()
    assert alias == "best"
    return int(version)


def test_a_run_has_one_version_however_often_it_is_sent(tmp_path: Path, uri: str) -> None:
    deliver(tmp_path / "run", uri, "s", model(0.5))
    (tmp_path / "run" / OFFSET_NAME).unlink()  # the answer got lost
    sync(tmp_path / "run")
    deliver(tmp_path / "run", uri, "s", model(0.6, data="wine"))  # a later attempt finished again
    client, [version] = registered(uri)
    assert version.description == "scores 0.6"
    assert version.tags == {"data": "wine", "score": "0.6"}
    assert best(client) == 1
    run = client.get_run(version.run_id)
    assert version.source == f"{run.info.artifact_uri}/generator"
    assert [item.path for item in client.list_artifacts(version.run_id, "generator")] == ["generator/MLmodel"]
    [used] = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest, used.tags[0].value) == ("iris", "abc", "training")
    address = f"get-artifact?path=plots/b.png&run_uuid={version.run_id}"
    note = f"![a](plots/a b.png) ![b]({address}) ![c](https://c/c.png)"  # a blank ends a Markdown address
    assert run.data.tags["mlflow.note.content"] == note


def test_the_best_version_keeps_its_alias(tmp_path: Path, uri: str) -> None:
    found = []
    for number, score in enumerate([0.5, 0.7, 0.6]):
        deliver(tmp_path / str(number), uri, f"s{number}", model(score))
        client, versions = registered(uri)
        assert len(versions) == number + 1
        found.append(best(client))
    assert found == [1, 2, 2]
    client.set_registered_model_alias("qsynth-s", "best", "1")
    client.delete_model_version_tag("qsynth-s", "1", "score")  # one that somebody else registered
    deliver(tmp_path / "3", uri, "s3", model(0.1))
    assert best(client) == 4


class Flaky:
    """An MLflow client whose methods of some names fail."""

    def __init__(self, client: Any) -> None:
        self.client, self.failing = client, frozenset[str]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in self.failing:
            raise ConnectionError("away")
        return getattr(self.client, name)  # type: ignore[no-any-return]


@pytest.fixture
def replay(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Delivery, Flaky]:
    """A replay of a journal that nobody has delivered, and its client."""
    monkeypatch.setattr(Tracker, "_deliver", lambda self: None)
    folder = tmp_path / "run" / "generator"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    tracker = Tracker(tmp_path / "run", uri, "e", "s")
    tracker.start_study({}, {})
    tracker.log_dataset(DATASET)
    tracker.register_model(folder, model(0.5))
    assert tracker.close("FINISHED") == 4
    store = TrackingStore(uri, "e", "s")
    flaky = Flaky(store.client())
    monkeypatch.setattr(TrackingStore, "client", lambda self: flaky)
    return Delivery(tmp_path / "run", store), flaky


def test_a_store_that_is_away_for_long_loses_no_model(replay: tuple[Delivery, Flaky], uri: str) -> None:
    made, flaky = replay
    names = ("log_inputs", "log_artifacts", "create_model_version")
    for count in range(1, len(names) + 1):
        flaky.failing = frozenset({*names[-count:], "get_run"})
        for _ in range(20):
            with pytest.raises(ConnectionError):
                made.step()
    flaky.failing = frozenset()
    assert made.step()
    assert (made.delivered, made.skipped) == (4, 0)
    [version] = flaky.search_model_versions("name = 'qsynth-s'")
    [run] = flaky.search_runs(["1"])
    assert (version.run_id, len(run.inputs.dataset_inputs), run.info.status) == (run.info.run_id, 1, "FINISHED")


def test_a_store_without_a_registry_gets_everything_else(replay: tuple[Delivery, Flaky]) -> None:
    made, flaky = replay
    flaky.failing = frozenset({"create_registered_model"})
    for _ in range(7):
        with pytest.raises(ConnectionError):
            made.step()
    assert made.step()
    assert (made.delivered, made.skipped) == (4, 1)
    [run] = flaky.search_runs(["1"])
    assert (len(run.inputs.dataset_inputs), run.info.status) == (1, "FINISHED")


def test_a_model_must_be_there(tmp_path: Path, closed_port: str) -> None:
    tracker = Tracker(tmp_path, closed_port, "e", "s")
    with pytest.raises(QsynthError, match="artifact must exist"):
        tracker.register_model(tmp_path / "none", model(0.5))
    assert tracker.close("FAILED", timeout_s=0.0) == 1

"""A whole study on an embedded Ray, interrupted and resumed, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.cluster.machines.test_private_ray import assert_private

COMMAND = [sys.executable, "-c", "from cluster.cli.app import main; main()"]


def start(*arguments: object) -> subprocess.Popen[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_OUT"))}
    environment = kept | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def mlflow_runs(database: Path) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("qsynth")
    return list(client.search_runs([experiment.experiment_id], max_results=1000))


def registered(database: Path, name: str) -> list[str]:
    """The runs of a model's versions."""
    from mlflow.tracking import MlflowClient

    versions = MlflowClient(f"sqlite:///{database}").search_model_versions(f"name = '{name}'")
    return [version.run_id for version in versions]


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # MLflow's and SQLAlchemy's own
def test_a_study_is_interrupted_and_resumed_to_its_end(tmp_path: Path, tiny: dict[str, Any]) -> None:
    tiny["budget"]["agent_trials"] = 4000  # longer than the test waits
    study = tmp_path / "tiny.yaml"
    study.write_text(yaml.safe_dump(tiny))
    out = tmp_path / "runs"

    first = start("tune", study, "--out", out, "--json")
    deadline = time.monotonic() + 240
    while not list(out.glob("*/journal.jsonl")) or "training/sampled_steps" not in _journal(out):
        assert first.poll() is None, first.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert_private(psutil.Process(first.pid))
    os.killpg(first.pid, signal.SIGINT)
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 130, errors
    assert "--resume" in errors
    if "qsynth sync" in errors:  # ended before MLflow had made its tables
        synced = start("sync", next(out.glob("*/journal.jsonl")).parent)
        assert synced.wait(timeout=240) == 0, synced.communicate()[1]
    [parent] = [run for run in mlflow_runs(out / "mlflow.db") if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "KILLED"
    assert "Stopped by SIGINT" in parent.data.tags["mlflow.note.content"]

    [run_dir] = [path.parent for path in out.glob("*/study.yaml")]
    resolved = yaml.safe_load((run_dir / "study.yaml").read_text())
    kept = json.loads(next(iter(sorted((run_dir / "checkpoints").glob("checkpoint-*/state.json"))), None).read_text())  # type: ignore[union-attr]
    assert kept["sampled_steps"] > 0
    # The rest of this run is to be short: what is trained already is enough.
    resolved["budget"]["agent_trials"] = 1
    (run_dir / "study.yaml").write_text(yaml.safe_dump(resolved))

    second = start("tune", study, "--out", out, "--resume", "--json")
    printed, errors = second.communicate(timeout=400)
    assert second.returncode == 0, errors
    assert "core_worker" not in errors, "Ray's own lines are for its log"
    result = json.loads(printed)

    rivals = {each["name"]: each for each in result["rivals"]}
    compared = {"agent", "defaults", "tuned constants", "tuned exponential", "random search"}
    robbed = {"agent, blind", "agent, constant action", "agent, shuffled observations", "agent, mean schedule"}
    assert set(rivals) == compared | robbed
    assert (result["budgets"], result["problems_per_study"]) == ([1, 2], 2)
    for name in compared:
        assert set(rivals[name]["test"]) == {"1", "2"}
        assert all(0.0 <= test["value"] <= 1.0 for test in rivals[name]["test"].values())
        assert rivals[name]["spent"]["iterations"] == 2 * 2 * 6
    assert {each["name"] for each in result["retrained"]} == {"agent", *(f"{name}, retrained" for name in compared)}
    assert all(Path(result["paths"][what]).exists() for what in ("synthetic data", "agent", "generator", "report"))
    assert len(Path(result["paths"]["synthetic data"]).read_text().splitlines()) == 51
    for plot in ("budgets", "rows", "curves", "leads", "schedule", "marginals", "training"):
        assert (run_dir / "plots" / f"{plot}.png").read_bytes().startswith(b"\x89PNG")

    runs = mlflow_runs(out / "mlflow.db")
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.run_id for run in parents] == [parent.info.run_id]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == 1 + 1 + 5 * 2
    assert "best_score" in parents[0].data.metrics
    assert not [name for name in parents[0].data.metrics if name.startswith("training/")]
    [training] = [run for run in runs if run.info.run_name == "training the agent"]
    assert {"training/sampled_steps", "training/mean_score"} <= set(training.data.metrics)
    assert parents[0].data.tags["conclusion"] == result["rows"]["conclusion"]
    assert {"rows/gan/test", "rows/classical twin/memorised"} <= set(parents[0].data.metrics)
    for written in ("report.html", "report.md"):
        assert result["rows"]["conclusion"] in (run_dir / written).read_text().replace("&#x27;", "'")
    child = next(run for run in runs if run.data.tags.get("rival") == "agent")
    expected = {"score", "test/score", "hyperparameters/lr_generator", "training/loss_generator"}
    assert expected <= set(child.data.metrics)
    assert "get-artifact?path=plots/small/budgets.png" in parents[0].data.tags["mlflow.note.content"]
    assert [each.dataset.name for each in parents[0].inputs.dataset_inputs] == ["iris", f"{run_dir.name} synthetic"]
    assert registered(out / "mlflow.db", "qsynth-tiny") == [parent.info.run_id]

    # What is finished needs no cluster.
    third = start("tune", study, "--out", out, "--resume", "--address", "127.0.0.1:9", "--json")
    printed, _ = third.communicate(timeout=120)
    assert third.returncode == 0
    assert json.loads(printed) == result


def _journal(out: Path) -> str:
    return "".join(path.read_text() for path in out.glob("*/journal.jsonl"))

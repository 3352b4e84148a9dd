"""A study whose search Ray Tune does, from beginning to end as a user runs it, and made larger afterwards."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.ray_tune.searched import SearchedTrials
from rl_envs.replay import ScheduleFile
from tests.cluster.tuning.test_tune import mlflow_runs, start


def outcome(*arguments: object) -> dict[str, Any]:
    process = start("tune", *arguments, "--json")
    printed, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    return dict(json.loads(printed))


@pytest.mark.slow
@pytest.mark.timeout(1100)
@pytest.mark.filterwarnings("ignore")  # MLflow's and SQLAlchemy's own
def test_a_search_stands_where_the_agent_would_and_grows_with_its_budget(tmp_path: Path, tiny: dict[str, Any]) -> None:
    tiny["budget"] = {"agent_trials": 8, "held_out": 1, "random_runs": 1, "search_share": 1}
    tiny["search"] = {"lanes_per_trial": 4}
    study, out = tmp_path / "tiny.yaml", tmp_path / "runs"
    study.write_text(yaml.safe_dump(tiny))

    result = outcome(study, "--out", out)
    rivals = {each["name"]: each for each in result["rivals"]}
    assert result["agent"] == "search random"
    assert set(rivals) == {"search random", "defaults", "tuned constants", "tuned exponential", "random search"}
    assert result["problems_per_study"] == 1
    assert result["training"]["candidates"] == 2
    assert result["training"]["GAN iterations"] == 2 * 4 * 3 * 2
    [run] = [path.parent for path in out.glob("*/study.yaml")]
    found = SearchedTrials.read(run / "stages" / "search.json")
    schedule = ScheduleFile.read(Path(result["paths"]["schedule"]))
    assert schedule.hyperparameters == found.best().schedule
    assert not (run / "tune").exists()
    assert not (run / "agent.safetensors").exists()
    assert "What the search did not beat" in (run / "report.html").read_text()
    runs = mlflow_runs(out / "mlflow.db")
    assert {each.info.status for each in runs} == {"FINISHED"}
    children = [each.data.tags["rival"] for each in runs if "mlflow.parentRunId" in each.data.tags]
    assert children.count("search random") == 2 + 1
    assert len(children) == 2 + 5

    larger = outcome(study, "--out", out, "--resume", "--trials", 12, "--held-out", 2)
    assert larger["run"] == result["run"]
    assert larger["problems_per_study"] == 2
    assert larger["training"]["candidates"] == 3
    assert SearchedTrials.read(run / "stages" / "search.json").trials[:2] == found.trials
    replayed = tmp_path / "model.safetensors"
    process = start("train", study, "--replay", larger["paths"]["schedule"], "--out", replayed)
    assert process.wait(timeout=200) == 0, process.communicate()[1]
    assert replayed.is_file()

"""Training an agent on several studies, from the command line to studies that it goes on in."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cluster.cli.app import app
from cluster.study.curriculum import Task, load_curriculum
from qsynth.errors import QsynthError
from rl_envs.observation import without_feedback
from rl_envs.pretrained import card
from tests.cluster.tuning.test_tune import start


@pytest.fixture
def curriculum(tiny_file: Path) -> dict[str, Any]:
    """Iris, and random tables of the same shape."""
    mixtures = {"kind": "mixtures", "n_features": 2, "n_train": 24}
    return {
        "name": "small",
        "tasks": {
            "iris": {"study": str(tiny_file)},
            "random": {"study": str(tiny_file), "changes": {"data": mixtures}, "after": 0.5},
        },
        "n_decisions": 3,
        "max_step": 0.3,
        "n_instances": 4,
        "n_validation": 1,
        "n_lanes": 4,
        "n_runners": 1,
        "trials": 16,
        "examine_every": 2,
        "agent": {"epochs": 1, "minibatch": 8, "policy": {"hidden": [8]}},
    }


def written(path: Path, values: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


def ran(*arguments: object) -> Any:
    """What a command prints with --json."""
    process = start(*arguments, "--json")
    output, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    return json.loads(output)


@pytest.mark.timeout(900)
def test_an_agent_of_several_studies_has_a_card(curriculum: dict[str, Any], tmp_path: Path) -> None:
    made = ran("pretrain", written(tmp_path / "small.yaml", curriculum), "--out", tmp_path / "runs")
    # After 8 of the first tier the second is examined once, at its end.
    assert made["trials"] == 8 + 8
    assert made["iterations"] == 16 * 3 * 2
    assert set(made["validation"]) == set(made["validation_defaults"]) == {"iris", "random"}
    folder = Path(made["agent"]).parent
    assert json.loads((folder / "card.json").read_text()) == {k: v for k, v in made.items() if k != "agent"}
    file = card(made["agent"])
    assert file.about == {k: v for k, v in made.items() if k != "agent"}
    assert set(file.search_space) == {"lr_generator", "n_critic"}
    assert ran("pretrain", folder, "--resume") == made
    # An agent that a kill or a disk has cut is examined and written anew of the last checkpoint.
    agent = Path(made["agent"])
    agent.write_bytes(agent.read_bytes()[:-100])
    assert ran("pretrain", folder, "--resume") == made
    assert card(made["agent"]).about == file.about


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cost_of_an_agent_is_also_that_of_its_start(curriculum: dict[str, Any], tmp_path: Path) -> None:
    made = ran("pretrain", written(tmp_path / "small.yaml", curriculum), "--out", tmp_path / "runs")
    further = curriculum | {"agent": {"epochs": 1, "minibatch": 8, "start": made["agent"]}}
    more = ran("pretrain", written(tmp_path / "more.yaml", further), "--out", tmp_path / "runs")
    assert more["trials"] == made["trials"] + 8 + 8
    assert more["iterations"] == made["iterations"] + 16 * 3 * 2
    assert more["core_hours"] >= made["core_hours"]
    # A resume builds a network of the start's size, though the curriculum names another.
    folder = Path(more["agent"]).parent
    assert ran("pretrain", folder, "--resume") == more


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_agent_of_several_studies_goes_on_in_one(
    curriculum: dict[str, Any], tiny: dict[str, Any], tmp_path: Path
) -> None:
    made = ran("pretrain", written(tmp_path / "small.yaml", curriculum), "--out", tmp_path / "runs")
    tiny["agent"]["start"] = made["agent"]
    tiny["trial"]["search_space"]["beta1"] = {"kind": "float", "low": 0.0, "high": 0.9}  # which it has never tuned
    tiny["budget"] |= {"agent_trials": 4, "search_share": 0.01, "held_out": 1, "random_runs": 1}
    tuned = ran("tune", written(tmp_path / "tuned.yaml", tiny), "--out", tmp_path / "runs")
    file, further = card(made["agent"]), card(tuned["paths"]["agent"])
    assert further.search_space == file.search_space
    assert further.features == file.features
    assert (further.max_step, further.policy) == (file.max_step, file.policy) == (0.3, further.policy)
    trained = further.about["trials"] * 3 * 2
    assert further.about["iterations"] == trained > made["iterations"]
    assert next(each for each in tuned["rivals"] if each["name"] == "agent")["prepared_iterations"] == trained


def refused(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    assert isinstance(result.exception, QsynthError)
    assert "\n" not in str(result.exception)
    return str(result.exception)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"tasks": {}}, "tasks"),
        ({"tasks": {"a, b": {"study": "iris"}}}, "a, b"),
        ({"tasks": {"a": {"study": "irsi"}}}, "Did you mean 'iris'"),
        ({"tasks": {"a": {"study": "iris", "changes": {"trial.qubits.n": 3}}}}, "trial.qubits.n; it has no qubits"),
        ({"tasks": {"a": {"study": "iris", "changes": {"trial.n_qubits": 2}}}}, "n_qubits"),
        ({"n_lanes": 1}, "n_lanes must be at least the number of tasks, 2; got 1"),
        ({"trails": 5}, "trails"),
        ({"observes": "nothing"}, "observes"),
        ({"changes": {"trial.qubits.n": 3}}, "trial.qubits.n; it has no qubits"),
        ({"agent": {"lr": -1}}, "agent.lr"),
        ({"demonstrations": 500}, "demonstrations must be left out, as agents that begin by imitating"),
        ({"agent": {"policy": {"conditional": True}}}, "agent.policy: conditional must be left out, as policies that"),
        ({"tasks": {"a": {"study": "iris", "after": 0.5}}}, "tasks must begin with one whose after is 0"),
    ],
)
def test_bad_curricula_are_refused_before_anything_is_written(
    change: dict[str, Any], match: str, curriculum: dict[str, Any], tmp_path: Path
) -> None:
    path = written(tmp_path / "bad.yaml", {**curriculum, **change})
    assert match in refused("pretrain", path, "--out", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_tasks_join_in_tiers(curriculum: dict[str, Any], tmp_path: Path) -> None:
    third = curriculum["tasks"]["iris"] | {"after": 0.75}
    made = load_curriculum(
        str(written(tmp_path / "a.yaml", curriculum | {"tasks": curriculum["tasks"] | {"c": third}}))
    )
    assert made.tiers == ((("iris",), 8), (("iris", "random"), 4), (("c", "iris", "random"), 4))
    environment = made.environment(compiled=False)
    first = environment.only(made.tiers[0].tasks)
    assert list(first.tasks) == ["iris"]
    assert (first.features, first.actions) == (environment.features, environment.actions)


def test_agents_without_feedback_see_the_problem_and_themselves(curriculum: dict[str, Any], tmp_path: Path) -> None:
    whole, blind = (
        load_curriculum(str(written(tmp_path / "a.yaml", curriculum | {"observes": observes}))).environment(False)
        for observes in ("everything", "problem")
    )
    assert blind.features == without_feedback(whole.features)
    assert {"budget.remaining", "problem.thinness", "hyperparameters.n_critic"} <= set(blind.features)
    assert not any(name.startswith(("score", "utility", "loss", "ailment")) for name in blind.features)
    assert (blind.actions, blind.tasks) == (whole.actions, whole.tasks)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_schedule_network_is_trained_by_one_setting(curriculum: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path / "small.yaml", curriculum)
    made = ran("pretrain", path, "--observes", "problem", "--out", tmp_path / "runs")
    file = card(made["agent"])
    assert file.about["observes"] == "problem"
    assert list(file.features) == without_feedback(file.features)
    assert made["trials"] == 8 + 8


def test_agents_that_training_goes_on_from_see_what_they_saw(curriculum: dict[str, Any], tmp_path: Path) -> None:
    further = curriculum | {"agent": {"start": "default"}}
    environment = load_curriculum(str(written(tmp_path / "a.yaml", further))).environment(compiled=False)
    assert tuple(environment.features) == card("default").features


def test_changes_of_all_studies_come_before_a_tasks_own(curriculum: dict[str, Any], tmp_path: Path) -> None:
    curriculum["tasks"]["random"]["changes"] |= {"trial.defaults.lr_generator": 0.05}
    everywhere = {"trial.defaults.lr_generator": 0.04, "trial.defaults.beta1": 0.1}
    studies = load_curriculum(str(written(tmp_path / "a.yaml", curriculum | {"changes": everywhere}))).studies()
    rates = {name: study.trial.defaults.lr_generator for name, study in studies.items()}
    assert rates == {"iris": 0.04, "random": 0.05}
    assert {study.trial.defaults.beta1 for study in studies.values()} == {0.1}


def test_folders_and_options_that_do_not_fit(curriculum: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path / "small.yaml", curriculum)
    assert "--resume needs the folder of a run" in refused("pretrain", path, "--resume")
    assert "trials must be left out with --resume" in refused("pretrain", tmp_path, "--resume", "--trials", 5)
    assert "must be writable" in refused("pretrain", path, "--out", path)
    assert load_curriculum(str(path)).trials == 16
    assert "Did you mean 'families'?" in refused("pretrain", "familes")


def test_runs_of_earlier_versions_hold_settings_that_are_gone(curriculum: dict[str, Any], tmp_path: Path) -> None:
    plain = load_curriculum(str(written(tmp_path / "plain.yaml", curriculum)))
    agent = {**curriculum["agent"], "policy": {"hidden": [8], "conditional": False}}
    earlier = written(tmp_path / "earlier.yaml", {**curriculum, "demonstrations": 0, "agent": agent})
    assert load_curriculum(str(earlier)) == plain
    assert "demonstrations" not in plain.model_dump()


def test_the_shipped_curriculum_is_the_shipped_agents() -> None:
    about = card("default").about
    curriculum = load_curriculum(about["name"])
    assert curriculum.tasks == {name: Task.model_validate(task) for name, task in about["tasks"].items()}
    assert about["trials"] <= curriculum.trials + 2 * curriculum.n_lanes
    curriculum.environment(compiled=False)


def test_families_differ_in_what_schedules_must_tell_apart() -> None:
    curriculum = load_curriculum("families")
    # Training and examination then share their compiled programs.
    assert curriculum.n_lanes == curriculum.n_validation * len(curriculum.tasks)
    tasks = curriculum.environment(compiled=False).tasks
    examples = [task.data.instance(0, held_out=False) for task in tasks.values()]
    assert {len(example.train) for example in examples} >= {20, 40, 2000}
    assert {example.n_features for example in examples} >= {1, 8}
    assert {example.n_classes for example in examples} >= {1, 10}
    assert {task.trial.loss for task in tasks.values()} == {"energy", "wasserstein"}
    assert len({task.trial.engine.shots for task in tasks.values()}) > 1


def test_agents_to_start_from_are_checked(tiny: dict[str, Any], tmp_path: Path) -> None:
    tiny["agent"]["start"] = "defualt"
    assert "Did you mean 'default'?" in refused("tune", written(tmp_path / "a.yaml", tiny), "--out", tmp_path / "runs")
    tiny["agent"]["start"] = "default"
    tiny["trial"]["search_space"] = {"critic_width": {"kind": "int", "low": 2, "high": 8}}
    message = refused("tune", written(tmp_path / "b.yaml", tiny), "--out", tmp_path / "runs")
    assert "agent.start default: an agent must share a hyperparameter with the study" in message
    assert not (tmp_path / "runs").exists()


def test_shipped_agents_are_listed() -> None:
    listed = json.loads(CliRunner().invoke(app, ["agents", "--json"]).stdout)
    assert listed["default"]["about"]["trials"] > 0
    shown = CliRunner().invoke(app, ["agents"]).stdout
    assert "default: " in shown
    assert "core-hours" in shown

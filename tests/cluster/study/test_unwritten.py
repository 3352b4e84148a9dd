"""Studies that say little, and studies in which much is wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.study.study import Study, load_study
from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.population.recommended import RECOMMENDED
from qsynth.population.trial import TrialConfig

IRIS = {"kind": "table", "name": "iris", "n_features": 3}


def study(**settings: Any) -> Study:
    return parse(Study, {"name": "mine", "data": IRIS} | settings, source="mine.yaml")


def test_a_name_and_data_are_a_study() -> None:
    made = study()
    made.check()
    assert made.trial.n_qubits == 3
    assert RECOMMENDED["defaults"].items() <= made.trial.defaults.model_dump().items()
    assert set(made.trial.search_space) > {"lr_generator", "lr_critic", "shots", "n_layers"}
    assert parse(Study, made.model_dump(mode="json"), source="again") == made
    assert Study(name="mine", data=IRIS, trial=TrialConfig(n_qubits=3)).trial.search_space  # type: ignore[arg-type]


def test_so_is_a_table_beside_the_file(tmp_path: Path) -> None:
    rows = [f"{n % 7},{n % 5},{n % 11},{'ab'[n % 2]}" for n in range(90)]
    (tmp_path / "rows.csv").write_text("\n".join(["u,v,w,y", *rows]))
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump({"name": "mine", "data": {"kind": "csv", "path": "rows.csv", "label": "y", "n_train": 24}})
    )
    made = load_study(str(tmp_path / "mine.yaml"))
    made.check()
    assert made.trial.n_qubits == 3


@pytest.mark.parametrize(
    "trial",
    [
        {"capacity": {"n_critic": 1, "batch_size": 8, "n_layers": 1, "critic_width": 4, "latent_dim": 1}},
        {"capacity": {"n_critic": 1}, "n_qubits": 4},
        {"loss": "energy"},
        {"engine": {"shots": 8}},
        {"defaults": {"lr_generator": 0.5}},
    ],
)
def test_what_is_left_out_follows_what_is_written(trial: dict[str, Any]) -> None:
    made = study(trial=trial).trial
    assert made.search_space
    for name, size in trial.get("capacity", {}).items():
        assert getattr(made.defaults, name) <= size
    for name, value in trial.get("defaults", {}).items():
        assert getattr(made.defaults, name) == value


def test_unwritten_defaults_lie_in_their_search_space() -> None:
    space = {
        "lr_generator": {"kind": "float", "low": 0.5, "high": 1},
        "n_critic": {"kind": "choice", "values": [1, 2]},
        "n_layers": {"kind": "int", "low": 1, "high": 2},
    }
    made = study(trial={"n_qubits": 3, "search_space": space}).trial
    assert (made.defaults.lr_generator, made.defaults.n_critic, made.defaults.n_layers) == (0.5, 2, 2)
    with pytest.raises(QsynthError, match=r"defaults\.lr_generator must lie in its search space 0\.5\.\.1; got 0\.1"):
        study(trial={"n_qubits": 3, "search_space": space, "defaults": {"lr_generator": 0.1}})


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong: dict[str, Any] = {
        "budget": {"held_out": 0},
        "trial": {
            "n_qubits": 3,
            "capacity": {"n_critic": 1, "batch_size": 8},
            "defaults": {"n_critic": 2, "batch_size": 16},
            "loss": "energy",
            "search_space": {"n_layer": {"kind": "int", "low": 1, "high": 2}},
        },
    }
    with pytest.raises(QsynthError) as error:
        study(**wrong)
    for part in (
        "budget.held_out: ",
        "defaults.n_critic must be at most capacity.n_critic = 1; got 2",
        "defaults.batch_size must be at most capacity.batch_size = 8; got 16",
        "search_space.n_layer is no hyperparameter. Did you mean 'n_layers'?",
    ):
        assert str(error.value).count(part) == 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"trial": {"search_space": {}}}, "trial.search_space must name at least one hyperparameter"),
        ({"data": {"kind": "tables", "name": "iris"}}, "data.kind: data source must be a registered one"),
        ({"data": {"kind": "digits"}}, "trial: n_qubits must fit in memory; got 64"),
        ({"trial": 3}, "trial: input should be"),
    ],
)
def test_what_cannot_be_completed_is_told(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(QsynthError) as error:
        study(**settings)
    assert str(error.value).count(expected) == 1
    assert "must be given" not in str(error.value)

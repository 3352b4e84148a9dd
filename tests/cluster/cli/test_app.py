"""The command line: what callers get wrong is one line and exit code 2, and nothing is half-written."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.cli.app import main
from cluster.study import run_directory
from cluster.study.study import Study
from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.synthesizer import QGANSynthesizer
from qsynth.yardsticks.registry import YARDSTICKS


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run ``qsynth`` in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["qsynth", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line with which a command is refused."""
    assert call(monkeypatch, *arguments) == 2
    outcome = capsys.readouterr()
    assert outcome.out == ""
    [line] = outcome.err.splitlines()
    assert line.startswith("qsynth: ")
    return line


def with_change(tiny: dict[str, Any], tmp_path: Path, path: str, value: object) -> Path:
    *parents, last = path.split(".")
    target = tiny
    for parent in parents:
        target = target[parent]
    target[last] = value
    file = tmp_path / "changed.yaml"
    file.write_text(yaml.safe_dump(tiny))
    return file


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("trial.n_qubit", 3, "Did you mean 'n_qubits'?"),
        ("trial.defaults.lr_critik", 0.1, "Did you mean 'lr_critic'?"),
        ("data.nme", "iris", "Did you mean 'name'?"),
        ("data.name", "irs", "Did you mean 'iris'?"),
        ("trial.ansatz", "ry_rx_cnt", "Did you mean 'ry_rx_cnot'?"),
        ("trial.readout", "zxx", "Did you mean 'zx'?"),
        ("trial.defaults.lr_critic", -1, "lr_critic"),
        ("trial.defaults.batch_size", 9, "capacity.batch_size = 8"),
        ("trial.search_space.n_critic.high", 3, "search_space.n_critic"),
        ("trial.search_space", {}, "search_space"),
        ("trial.n_qubits", 1, "n_qubits"),
        ("trial.n_qubits", 40, "16 TiB"),
        ("resources", {"n_lanes": 65536, "n_runners": 64}, "lower resources.n_lanes to"),
        ("trial", {"n_qubits": 40, "engine": {"name": "statevector"}}, "16 TiB"),
        ("trial", {"n_qubits": 40, "engine": {"name": "lightning.qubit"}}, "16 TiB"),
        ("budget.held_out", 0, "budget.held_out"),
        ("episode.reward", {"kind": "best_gian"}, "best_gain"),
    ],
)
def test_a_bad_study_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny: dict[str, Any],
    path: str,
    value: object,
    expected: str,
) -> None:
    file = with_change(tiny, tmp_path, path, value)
    out = tmp_path / "runs"
    assert expected in refused(monkeypatch, capsys, "tune", file, "--out", out)
    assert not out.exists()


def test_a_critic_without_enough_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    tiny["trial"]["critic"] = {"kind": "conv"}
    greatest = {"critic_width": 1024, "critic_layers": 16, "filter_size": 15, "batch_size": 4096}
    file = with_change(tiny, tmp_path, "trial.capacity", tiny["trial"]["capacity"] | greatest)
    line = refused(monkeypatch, capsys, "tune", file, "--out", tmp_path / "runs")
    assert line.endswith("lower trial.n_qubits or trial.capacity")


def test_an_unknown_preset_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = refused(monkeypatch, capsys, "tune", "breast_cancr", "--out", tmp_path / "runs")
    assert "Did you mean 'breast_cancer'?" in line


def test_one_class_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b,kind\n" + "".join(f"{i},{i % 7},same\n" for i in range(60)))
    file = with_change(tiny, tmp_path, "data", {"kind": "csv", "path": str(rows), "label": "kind"})
    line = refused(monkeypatch, capsys, "tune", file, "--out", tmp_path / "runs")
    assert "class" in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("place", ["file", "/proc/qsynth"])
def test_an_output_directory_that_cant_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path, place: str
) -> None:
    out = tmp_path / place
    if place == "file":
        out.write_text("occupied")
    assert "output directory" in refused(monkeypatch, capsys, "tune", tiny_file, "--out", out)
    assert place != "file" or out.read_text() == "occupied"


def test_resuming_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    assert "--resume" in refused(monkeypatch, capsys, "tune", tiny_file, "--out", tmp_path, "--resume")


@pytest.mark.parametrize(
    "setting", ["lr_critik=0.1", "lr_critic", "lr_critic=fast", "lr_critic=-2", "n_critic=7", "vae_width=8"]
)
def test_a_bad_constant_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_file: Path,
    setting: str,
) -> None:
    model = tmp_path / "model.safetensors"
    refused(monkeypatch, capsys, "train", tiny_file, "--out", model, "--set", setting)
    assert not model.exists()


def test_train_then_sample(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    model, plot, rows = tmp_path / "model.safetensors", tmp_path / "plot.png", tmp_path / "rows.csv"
    arguments = ("train", tiny_file, "--out", model, "--plot", plot, "--set", "lr_critic=0.002", "--json")
    arguments += ("--set", "weight_average=0.9")
    assert call(monkeypatch, *arguments) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["iterations"] == 6
    assert "weight_average" in QGANSynthesizer.load(model).description()["hyperparameters"]
    assert len(summary["scores"]) == 4
    assert 0.0 <= summary["test_score"] <= 1.0
    assert plot.read_bytes().startswith(b"\x89PNG")

    assert call(monkeypatch, "sample", model, "-n", 30, "--where", "label=virginica", "--out", rows, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 30
    lines = rows.read_text().splitlines()
    assert lines[0].split(",")[-1] == "label"
    assert len(lines) == 31
    assert all(line.endswith(",virginica") for line in lines[1:])

    assert "Did you mean 'virginica'?" in refused(monkeypatch, capsys, "sample", model, "--where", "label=virginca")
    assert "n_rows" in refused(monkeypatch, capsys, "sample", model, "-n", 0)
    assert "qsynth model" in refused(monkeypatch, capsys, "sample", tiny_file)
    assert "trained agent" in refused(
        monkeypatch, capsys, "train", tiny_file, "--agent", model, "--out", tmp_path / "x"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"n_critic": [1, 2, 9]}, "n_critic must be whole and within 1..2"),
        ({"n_critic": [1, 1.5, 1]}, "n_critic must be whole"),
        ({"lr_generator": [0.01, 5.0, 0.01]}, "lr_generator must be within 0..1"),
    ],
)
def test_a_schedule_that_does_not_fit_is_refused_before_training(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tiny_file: Path,
    values: dict[str, list[float]],
    expected: str,
) -> None:
    schedule, model = tmp_path / "schedule.json", tmp_path / "model.safetensors"
    schedule.write_text(json.dumps({"hyperparameters": values}))
    line = refused(monkeypatch, capsys, "train", tiny_file, "--replay", schedule, "--out", model)
    assert f"{schedule} does not fit the study: {expected}" in line
    assert not model.exists()


def test_files_that_would_overwrite_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    path = tmp_path / "one"
    line = refused(monkeypatch, capsys, "train", tiny_file, "--out", path, "--plot", tmp_path / "." / "one")
    assert "every file must be named once" in line
    path.write_text("kept")
    assert "--out must not be the model's own file" in refused(monkeypatch, capsys, "sample", path, "--out", path)
    assert path.read_text() == "kept"


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_that_no_stream_takes_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path, seed: int
) -> None:
    line = refused(monkeypatch, capsys, "train", tiny_file, "--out", tmp_path / "x", f"--seed={seed}")
    assert "seed must be within" in line


def test_a_run_is_found_by_its_study_whatever_its_name(tmp_path: Path, tiny: dict[str, Any]) -> None:
    study = parse(Study, tiny, source="tiny")
    created = run_directory.create(tmp_path, study, "first")
    (tmp_path / "tiny-broken").mkdir()
    (tmp_path / "tiny-broken" / "study.yaml").write_text("name: [")
    assert run_directory.find(tmp_path, "tiny") == created
    with pytest.raises(QsynthError, match="--run must be a folder's name"):
        run_directory.create(tmp_path, study, "../elsewhere")


def test_results_of_a_store_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "none.db"
    line = refused(monkeypatch, capsys, "results", "--tracking-uri", f"sqlite:///{file}")
    assert "must name an existing file" in line
    assert not file.exists()


def test_doctor_refuses_what_tune_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    study = tmp_path / "tiny.yaml"
    study.write_text(yaml.safe_dump(tiny | {"agent": {"start": "nosuch"}}))
    assert "nosuch" in refused(monkeypatch, capsys, "doctor", study)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    study.write_text(yaml.safe_dump(tiny | {"resources": {"place": "cuda"}}))
    assert "torch sees no GPU" in refused(monkeypatch, capsys, "doctor", study)


def test_train_ends_where_its_shots_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    tiny["trial"]["engine"] = {"name": "statevector", "shots": 10}
    study, model = tmp_path / "shots.yaml", tmp_path / "model.safetensors"
    ends = {}
    for budget in (10**9, 3000):
        tiny["episode"]["shot_budget"] = budget
        study.write_text(yaml.safe_dump(tiny))
        assert call(monkeypatch, "train", study, "--out", model, "--json") == 0
        summary = json.loads(capsys.readouterr().out)
        ends[summary["ended"]] = QGANSynthesizer.load(model).description()["iteration"]
    assert list(ends) == ["budget", "shots"]
    assert 0 < ends["shots"] < 6


def test_train_keeps_the_best_moment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, tiny_file: Path
) -> None:
    """A rate that is far too high makes trials worse than they were."""
    earlier = 0
    for seed in range(3):
        model = tmp_path / f"{seed}.safetensors"
        arguments = ("train", tiny_file, "--out", model, "--seed", seed, "--set", "lr_generator=0.1", "--json")
        assert call(monkeypatch, *arguments) == 0
        summary = json.loads(capsys.readouterr().out)
        decision = 1 + max(range(3), key=summary["scores"][1:].__getitem__)
        assert summary["kept"] == QGANSynthesizer.load(model).description()["iteration"] == 2 * decision
        earlier += decision < 3
    assert earlier
    names = [each["name"] for each in summary["rows"]["beside"]]
    assert sorted(names) == sorted(["classical twin", *YARDSTICKS])
    assert summary["rows"]["gan"]["score"]["value"] == pytest.approx(summary["test_score"], abs=1e-5)
    assert summary["rows"]["conclusion"].startswith("rows: the circuit's")


def test_presets_are_valid_and_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "presets", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"gaussian", "gunduz2025", "breast_cancer"} <= set(listed)
    assert all(study["description"] for study in listed.values())


def test_doctor_explains_the_engine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "doctor", "breast_cancer", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["study breast_cancer"]["engine"].startswith("statevector: 4 qubits")
    bar = found["study breast_cancer"]["yardsticks"]
    assert re.search(r"on validation rows of 2 instances; second real sample \d", bar)
    assert found["devices"]["lightning.qubit"] == "yes"
    assert {"ray", "torch", "pennylane", "mlflow"} <= set(found["versions"])

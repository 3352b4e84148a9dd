"""A run goes on with its own study, and says what is other in the file."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.cli.commands import run_tune
from cluster.study import run_directory
from cluster.study.difference import differences
from cluster.study.study import Study, changed, load_study
from qsynth.config import parse


def test_every_setting_that_differs_is_named_with_both_values(tiny: dict[str, Any]) -> None:
    study = parse(Study, tiny, source="tiny")
    assert differences(study, study) == []
    other = changed(study, {"seed": 7, "trial.n_qubits": 4, "description": "x" * 3000})
    found = differences(study, other)
    assert found[1:] == ["seed 0, not 7", "trial.n_qubits 3, not 4"]
    assert found[0].startswith("description , not xxx")
    assert len(found[0]) < 130


def test_rows_are_compared_too(tmp_path: Path, tiny: dict[str, Any]) -> None:
    rows = "\n".join(["x,y,c", *(f"{i},{-i},{'ab'[i % 2]}" for i in range(60))])
    (tmp_path / "rows.csv").write_text(rows)
    tiny["data"] = {"kind": "csv", "path": "rows.csv", "label": "c", "n_features": 2, "n_train": 24}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    study = load_study(str(tmp_path / "tiny.yaml"))
    run = run_directory.create(tmp_path / "runs", study)
    assert differences(run.load_study(), study) == []
    (tmp_path / "rows.csv").write_text(rows + "\n1,1,a")
    [said] = differences(run.load_study(), study)
    assert said == f"the rows of {run.path}/data/rows.csv, not those of {tmp_path}/rows.csv"
    (tmp_path / "rows.csv").unlink()
    assert differences(run.load_study(), study) == []


def test_a_resume_says_what_it_does_not_look_at(
    tmp_path: Path,
    tiny: dict[str, Any],
    tiny_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_directory.create(tmp_path / "runs", load_study(str(tiny_file)), "one")
    goes_on: list[Study] = []

    def execute(study: Study, *_: object) -> Any:
        goes_on.append(study)
        raise KeyboardInterrupt

    monkeypatch.setattr("cluster.cli.commands._execute", execute)

    def resume(name: object) -> str:
        with pytest.raises(KeyboardInterrupt):
            run_tune(str(name), tmp_path / "runs", "one", True, {}, None, None, True)
        assert goes_on[-1] == run.load_study()
        return capsys.readouterr().err

    assert resume(tiny_file) == ""
    assert resume("tiny") == ""  # a study's name, as the hints have it
    tiny["seed"] = 7
    tiny_file.write_text(yaml.safe_dump(tiny))
    assert resume(tiny_file) == "one goes on with its own study: seed 0, not 7\n"

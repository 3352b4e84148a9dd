"""Where a study's table lies, and what checking a study costs."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cluster.study import run_directory
from cluster.study.curriculum import load_curriculum
from cluster.study.study import Study, load_study
from qsynth.config import parse
from qsynth.data.dataset import Instance
from qsynth.data.tabular import CsvData, TableData
from qsynth.errors import QsynthError
from tests.cluster.cli.test_app import call, refused


@pytest.fixture
def study_file(tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study in a folder of its own, with its table beside it; the process works elsewhere."""
    folder, elsewhere = tmp_path / "studies", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    random = np.random.default_rng(0)
    rows = [f"{random.normal()},{random.normal()},{'ab'[n % 2]}\n" for n in range(90)]
    (folder / "rows.csv").write_text("u,v,y\n" + "".join(rows))
    data = {"kind": "csv", "path": "rows.csv", "label": "y", "n_features": 2, "n_train": 24}
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump(tiny | {"name": "own", "data": data}))
    monkeypatch.chdir(elsewhere)
    return file


def curriculum_of(study: Path) -> Path:
    file = study.with_name("curriculum.yaml")
    file.write_text(yaml.safe_dump({"name": "c", "tasks": {"own": {"study": str(study)}}}))
    return file


def table_of(study: Study) -> Path:
    assert isinstance(study.data, CsvData)
    return Path(study.data.path)


def test_a_table_is_looked_for_beside_its_study(study_file: Path) -> None:
    rows = study_file.with_name("rows.csv")
    assert table_of(load_study(str(study_file))) == rows
    assert table_of(load_study("../studies/own.yaml")).samefile(rows)
    assert table_of(load_curriculum(str(curriculum_of(study_file))).studies()["own"]) == rows
    load_study("../studies/own.yaml").check()


def test_absolute_paths_stay(study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = yaml.safe_load(study_file.read_text())
    for path in (str(study_file.with_name("rows.csv")), "~/rows.csv"):
        values["data"]["path"] = path
        monkeypatch.setenv("HOME", str(study_file.parent))
        (tmp_path / "other.yaml").write_text(yaml.safe_dump(values))
        assert table_of(load_study(str(tmp_path / "other.yaml"))) == study_file.with_name("rows.csv")


def test_python_users_paths_begin_at_the_working_directory(study_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = CsvData(path="rows.csv", label="y")
    with pytest.raises(QsynthError, match=r"existing file; got 'rows\.csv'"):
        data.instance(0, held_out=False)
    monkeypatch.chdir(study_file.parent)
    assert data.width == 2


def test_a_run_reads_its_own_copy_wherever_it_is_moved(study_file: Path, tmp_path: Path) -> None:
    run = run_directory.create(Path("runs"), load_study(str(study_file)), "first")
    study_file.with_name("rows.csv").unlink()
    assert table_of(run.load_study()) == run.path.absolute() / "data" / "rows.csv"
    run.load_study().check()
    moved = run_directory.RunDirectory(tmp_path / "moved")
    shutil.move(run.path, moved.path)
    moved.load_study().check()


def test_runs_of_earlier_versions_name_their_copy_absolutely(study_file: Path) -> None:
    run = run_directory.create(Path("runs"), load_study(str(study_file)), "first")
    values = yaml.safe_load(run.study_file.read_text())
    values["data"]["path"] = str(run.path.absolute() / "data" / "rows.csv")
    run.study_file.write_text(yaml.safe_dump(values))
    run.load_study().check()


def test_train_and_doctor_find_the_table(
    study_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "train", study_file, "--json") == 0
    assert call(monkeypatch, "doctor", study_file, "--json") == 0


def test_a_table_in_the_working_directory_is_pointed_at(
    study_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = study_file.with_name("rows.csv")
    shutil.move(before, "rows.csv")
    expected = (
        f"own.yaml: data.path must be relative to the study file's folder: {before} is looked for, and "
        f"{Path('rows.csv').absolute()} is there. Move it, or write that path."
    )
    commands: dict[str, tuple[object, ...]] = {
        "tune": (),
        "train": (),
        "doctor": (),
        "circuit": (),
        "submit": ("--address", "http://127.0.0.1:1"),
        "compare": ("--rivals", "random"),
    }
    for command, options in commands.items():
        assert expected in refused(monkeypatch, capsys, command, study_file, *options)
    assert expected in refused(monkeypatch, capsys, "pretrain", curriculum_of(study_file))
    assert {path.name for path in Path().iterdir()} == {"rows.csv"}


def test_a_table_that_is_nowhere_is_named_where_it_was_looked_for(
    study_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study_file.with_name("rows.csv").unlink()
    line = refused(monkeypatch, capsys, "tune", study_file)
    assert f"a table's path must be an existing file; got '{study_file.with_name('rows.csv')}'" in line
    # A run is found by its study's name; its data are in its folder.
    assert "--resume needs an earlier run of 'own'" in refused(monkeypatch, capsys, "tune", study_file, "--resume")


def test_checking_a_study_builds_each_instance_once(tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny["resources"]["beside"] = [{"n_lanes": 1}]
    study, built, made = parse(Study, tiny, source="tiny"), Counter[tuple[int, bool]](), TableData.instance

    def counted(data: TableData, seed: int, held_out: bool) -> Instance:
        built[seed, held_out] += 1
        return made(data, seed, held_out)

    monkeypatch.setattr(TableData, "instance", counted)
    study.check()
    assert built == {(0, True): 1}

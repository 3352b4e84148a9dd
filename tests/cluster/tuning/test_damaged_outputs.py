"""What a kill or a disk left of a run's outputs does not stop a resume whose checkpoint is whole."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster.cli.commands import _found
from cluster.comparison.job_result import JobResultFile
from cluster.results.device_result import DeviceResult
from cluster.study.run_directory import RunDirectory
from cluster.training.kept_agent import is_whole
from cluster.tuning.study_result import StudyResult
from qsynth.errors import FileError
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork, save_policy
from tests.cluster.comparison.made import comparison
from tests.rl_envs.tiny import SPACE


def has_agent(run: RunDirectory, notes: list[str]) -> bool:
    progress: Any = SimpleNamespace(note=notes.append)
    return is_whole(run.agent, progress)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99, 1.0])
def test_a_cut_agent_is_made_anew(tmp_path: Path, kept: float) -> None:
    run, notes = RunDirectory(tmp_path), list[str]()
    assert not has_agent(run, notes)
    config = PolicyConfig(hidden=(4,))
    file = PolicyFile(features=("a",), search_space=SPACE, policy=config, max_step=0.1)
    save_policy(run.agent, PolicyNetwork(1, SPACE, config), file)
    whole = run.agent.read_bytes()
    run.agent.write_bytes(whole[: int(kept * len(whole))])
    assert has_agent(run, notes) is (kept == 1.0)
    assert all("made anew of the last checkpoint" in note for note in notes)
    assert len(notes) == (kept < 1.0)


def test_a_cut_result_is_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunDirectory(tmp_path)
    run.stages.mkdir()
    found = comparison({"agent": (0.5, 0.6), "defaults": (0.4, 0.5)})
    found.write(run.comparison)
    assert _found(run) is None
    StudyResult(run="one", comparison=found, paths={}, training={}).write(run)
    assert _found(run).comparison == found
    for path in (run.comparison, run.result):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert _found(run) is None
        assert capsys.readouterr().err.endswith("; it is made anew\n")
        path.write_bytes(whole)


def test_a_damaged_record_costs_only_its_job(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    records = JobResultFile(path)
    for record in comparison({"agent": (0.5, 0.6, 0.7)}).rivals[0].records:
        records.add(record)
    records.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20] + b"\n" + lines[2])
    again = JobResultFile(path)
    assert set(again.records) == {"agent0", "agent2"}
    again.close()
    path.write_text("something else\n")
    with pytest.raises(FileError, match="must hold a comparison's records; got 1 lines without any"):
        JobResultFile(path)


def test_what_a_device_found_is_not_bought_again_without_asking(tmp_path: Path) -> None:
    (tmp_path / "device.json").write_text('{"device": "d"')
    with pytest.raises(FileError, match=r"device\.json must hold what the device found; move it away"):
        DeviceResult.read(tmp_path / "device.json")

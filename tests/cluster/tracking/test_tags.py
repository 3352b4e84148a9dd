"""Which code a run was made by."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster.study.study import Study
from cluster.tracking import tags as run_tags
from cluster.tracking.tags import study_tags
from qsynth.config import parse


def tags(tiny: dict[str, Any]) -> dict[str, str]:
    return study_tags(parse(Study, tiny, source="tiny"), "statevector", "it fits", "eager")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_is_that_of_the_code_not_of_whoever_holds_it(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code.py"
    code.write_text("")
    monkeypatch.setattr(run_tags, "__file__", str(code))
    assert "mlflow.source.git.commit" not in tags(tiny)
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "the user's own")
    assert "mlflow.source.git.commit" not in tags(tiny)  # as when installed inside somebody's repository
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-q", "-m", "code")
    assert tags(tiny)["mlflow.source.git.commit"] == git(tmp_path, "rev-parse", "HEAD")


def test_a_user_without_a_name_is_no_error(tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "mlflow.user" not in tags(tiny)
    assert "description" not in tags(tiny)

"""A user's own ansatz in a package of its own, tuned by the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plugin_package import ANSATZ, install

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(600)
def test_a_study_of_a_users_own_ansatz_is_tuned(tmp_path: Path, tiny: dict[str, Any]) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages, "qsynth_mine", ANSATZ)
    tiny["trial"]["ansatz"] = tiny["trial"]["qnn"]["ansatz"] = "mine"
    study = tmp_path / "tiny.yaml"
    study.write_text(yaml.safe_dump(tiny))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_", "QSYNTH_OUT"))}
    environment = kept | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)])}
    command = [sys.executable, "-c", "from cluster.cli.app import main; main()"]
    asked = ["tune", str(study), "--out", str(tmp_path / "runs"), "--json"]
    done = subprocess.run(
        [*command, *asked], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    [run] = [path.parent for path in (tmp_path / "runs").glob("*/study.yaml")]
    assert yaml.safe_load((run / "study.yaml").read_text())["trial"]["ansatz"] == "mine"

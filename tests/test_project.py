"""What holds for the project as a whole: import directions, a quick command line, small modules, a tidy root."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_LINES = 300
HEAVY = ("ray", "torch", "pennylane", "mlflow")
ROOT_ENTRIES = {
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "qsynth",
    "rl_envs",
    "cluster",
    "tests",
    "docker",
}
MODULES = sorted(path for package in ("qsynth", "rl_envs", "cluster") for path in (ROOT / package).rglob("*.py"))


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_imports_point_one_way(tmp_path: Path) -> None:
    lint = (
        "import sys; from importlinter.cli import lint_imports\n"
        "sys.exit(lint_imports(config_filename='pyproject.toml', cache_dir=sys.argv[1]))"
    )
    outcome = run_python(lint, str(tmp_path))
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "0 broken" in outcome.stdout


def test_help_loads_nothing_heavy() -> None:
    probe = (
        "import json, sys\n"
        "from cluster.cli.app import main\n"
        "sys.argv = ['qsynth', '--help']\n"
        "code = None\n"
        "try:\n    main()\n"
        "except SystemExit as stop:\n    code = stop.code\n"
        "print(json.dumps([code or 0, sorted(sys.modules)]), file=sys.stderr)"
    )
    outcome = run_python(probe)
    assert outcome.returncode == 0, outcome.stderr
    code, loaded = json.loads(outcome.stderr.splitlines()[-1])
    assert code == 0
    assert "tune" in outcome.stdout
    assert not set(HEAVY) & set(loaded)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= MAX_LINES, f"{path.name} has {n_lines} lines: look for the seam"


def test_root_holds_only_what_belongs_there() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    entries = {name.split("/")[0] for name in listed if name}
    assert {"pyproject.toml", "qsynth"} <= entries
    assert {name for name in entries if not name.startswith(".")} <= ROOT_ENTRIES


def _dataclasses(path: Path) -> Iterator[tuple[ast.ClassDef, ast.expr]]:
    """The dataclasses of a file, each with its decorator."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                if ast.unparse(decorator).startswith("dataclass"):
                    yield node, decorator


def test_values_of_five_fields_are_made_by_their_names() -> None:
    positional = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in MODULES
        for node, decorator in _dataclasses(path)
        if sum(isinstance(each, ast.AnnAssign) for each in node.body) >= 5
        and "kw_only=True" not in ast.unparse(decorator)
    ]
    assert positional == []


def test_nothing_is_imported_late() -> None:
    """The process is prepared once, in main(), so that no module needs to do it between its imports."""
    late = [str(path.relative_to(ROOT)) for path in MODULES if "E402" in path.read_text()]
    assert late == []

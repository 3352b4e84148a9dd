"""What product code does to the world outside: where it writes files, sets the environment, and changes libraries."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = sorted(path for package in ("qsynth", "rl_envs", "cluster") for path in (ROOT / package).rglob("*.py"))

# Who opens files for writing elsewhere than in qsynth/files/atomic.py, and why.
WRITERS = {
    "cluster/comparison/job_result.py": "a journal: results are appended, and a torn last line is cut off",
    "cluster/machines/private_ray.py": "a token: made for its owner alone, and never in the place of another",
    "cluster/service/daemon.py": "a log, which a process writes as long as it runs",
    "cluster/system/attempt_lock.py": "a lock, with a number that is written in place",
    "cluster/system/sqlite_file.py": "a database that MLflow makes, put in its place when it is whole",
    "cluster/tracking/journal.py": "a journal: records are appended",
    "cluster/training/checkpoints.py": "a folder, which is renamed when it is whole",
    "qsynth/execution/compilation.py": "a lock",
    "qsynth/execution/inductor.py": "C++ in a folder that is deleted after it is compiled",
}
# Who sets variables of the environment, or changes a library for the whole process, and why.
ENVIRONMENT = {"cluster/system/environment.py": "the one place"}
PATCHES = {
    "cluster/machines/private_ray.py": "Ray reads at import whether it listens on loopback alone",
    "qsynth/execution/inductor.py": "Inductor without what takes half of its time",
    "cluster/training/runner_group.py": "RLlib sends settings by reference, of which Ray warns at each start",
}

# Calls that write a file, whatever they are called with: methods of paths, and functions.
METHODS = {"write_text", "write_bytes", "touch", "symlink_to", "hardlink_to"}
FUNCTIONS = {
    *("shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.move", "os.replace", "os.rename", "os.link"),
    *("json.dump", "yaml.dump", "pickle.dump", "torch.save", "np.save", "np.savez", "safetensors.torch.save_file"),
    *("tempfile.mkstemp", "tempfile.NamedTemporaryFile"),
}
# Those that take a path or an open file: the latter is what ``atomic_file`` gives, or standard output.
TO_FILES = {"to_csv", "to_json", "to_parquet", "savefig", "ZipFile"}
MUTATING = {"setdefault", "update", "pop", "popitem", "clear", "putenv", "unsetenv", "__setitem__"}


def name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield name_of(node.func), node


def modules_in(tree: ast.AST) -> set[str]:
    """Names that are imported: of modules, or of what is in them."""
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}


def opened_by_atomic_file(tree: ast.AST) -> set[str]:
    """Names of the files in ``with atomic_file(...) as name``."""
    items = [item for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items]
    return {name_of(item.optional_vars) for item in items if item.optional_vars and "atomic_file(" in ast.unparse(item)}


def opens_to_write(call: ast.Call) -> bool:
    if ast.unparse(call.func) == "os.open":
        return "O_RDONLY" not in ast.unparse(call)
    literals = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)]
    modes = [each for each in literals if isinstance(each, str) and each and set(each) <= set("rwxabt+")]
    return any(set(mode) & set("wxa+") for mode in modes)


def writes(tree: ast.AST) -> bool:
    """Whether code opens a file for writing, or copies or renames one."""
    files = opened_by_atomic_file(tree) | {"stdout"}
    for name, call in calls(tree):
        is_method = isinstance(call.func, ast.Attribute)
        if ast.unparse(call.func) in FUNCTIONS or (is_method and name in METHODS):
            return True
        if name == "open" and opens_to_write(call):
            return True
        # str.replace takes two arguments, DataFrame.rename a keyword.
        if is_method and name in ("replace", "rename") and len(call.args) == 1 and not call.keywords:
            return True
        reads = name == "ZipFile" and len(call.args) == 1
        if name in TO_FILES and not reads and (not call.args or name_of(call.args[0]) not in files):
            return True
    return False


def targets(tree: ast.AST) -> Iterator[ast.expr]:
    """What is assigned to, or deleted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Delete):
            yield from node.targets
        elif isinstance(node, ast.AugAssign):
            yield node.target


def sets_environment(tree: ast.AST) -> bool:
    """Whether code changes a variable of the environment."""
    if any("os.environ" in ast.unparse(target) for target in targets(tree)):
        return True
    return any(
        name in MUTATING and ast.unparse(call.func) in (f"os.environ.{name}", f"os.{name}")
        for name, call in calls(tree)
    )


def patches(tree: ast.AST) -> bool:
    """Whether code sets an attribute of something imported."""
    imported = modules_in(tree)
    changed = [target for target in targets(tree) if isinstance(target, ast.Attribute)]
    changed += [call.args[0] for name, call in calls(tree) if name in ("setattr", "delattr")]
    roots = {ast.unparse(each).split(".")[0] for each in changed if ast.unparse(each) != "os.environ"}
    return bool(roots & imported) or any(ast.unparse(call.func) in ("patch.object", "patch") for _, call in calls(tree))


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        (writes, {**WRITERS, "qsynth/files/atomic.py": "the one place"}),
        (sets_environment, ENVIRONMENT),
        (patches, PATCHES),
    ],
)
def test_only_those_do_who_may(found: Callable[[ast.AST], bool], allowed: dict[str, str]) -> None:
    who = {str(path.relative_to(ROOT)) for path in PRODUCT if found(ast.parse(path.read_text(encoding="utf-8")))}
    assert who - set(allowed) == set(), "write with qsynth.files.atomic, set with cluster.system.environment"
    assert set(allowed) - who == set(), "these need no leave any more"


@pytest.mark.parametrize(
    ("found", "code", "expected"),
    [
        (writes, "path.write_text('x')", True),
        (writes, "with path.open('w') as file: pass", True),
        (writes, "open(path, mode='ab')", True),
        (writes, "open(path)", False),
        (writes, "path.open('rb')", False),
        (writes, "path.open(encoding='utf-8')", False),
        (writes, "os.open(path, os.O_WRONLY | os.O_CREAT)", True),
        (writes, "temporary.replace(path)", True),
        (writes, "text.replace('a', 'b')", False),
        (writes, "frame.to_csv(path)", True),
        (writes, "with atomic_file(path) as file: frame.to_csv(file)", False),
        (writes, "frame.to_csv(sys.stdout)", False),
        (writes, "shutil.copyfile(a, b)", True),
        (writes, "values.copy()", False),
        (writes, "json.dump(value, file)", True),
        (sets_environment, "os.environ['A'] = 'b'", True),
        (sets_environment, "os.environ |= {}", True),
        (sets_environment, "del os.environ['A']", True),
        (sets_environment, "os.environ.setdefault('A', 'b')", True),
        (sets_environment, "env = os.environ | {}", False),
        (sets_environment, "os.environ.get('A')", False),
        (patches, "import ray\nray.x = 1", True),
        (patches, "from ray import constants\nconstants.X = False", True),
        (patches, "import torch\nsetattr(torch.nn, 'x', 1)", True),
        (patches, "with patch.object(a, 'b'): pass", True),
        (patches, "import torch\nself.x = torch.ones(1)", False),
    ],
)
def test_what_the_rules_see(found: Callable[[ast.AST], bool], code: str, expected: bool) -> None:
    assert found(ast.parse(code)) is expected

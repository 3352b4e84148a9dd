"""Private names of libraries that the product uses: each is still there, and each is listed here.

Public names keep their promises; these may go with any release. A test that fails says what of qsynth stops working.
"""

import ast
import functools
import importlib
import inspect
import tomllib
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
# Not private: what named tuples offer.
NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


class Canary(NamedTuple):
    """A private name, or a public one with a private meaning.

    Attributes:
        library: its distribution.
        where: module, and attributes below it, or, of a class's instances, in the source of its constructor.
        names: what qsynth uses there.
        feature: what stops working without it.
        takes: what its call must take, if it is called.
    """

    library: str
    where: str
    names: tuple[str, ...]
    feature: str
    takes: tuple[Any, ...] | None = None


COMPILING = "compiled populations; without it they compute eagerly"
RESIZING = "populations that come and go while an agent trains (cluster/training/runner_group.py)"
EMBEDDED = "an embedded Ray that listens on loopback alone and asks for a token (cluster/machines/private_ray.py)"
TRACKING_SERVER = "the service's MLflow server, which asks for a token (cluster/service/mlflow_server.py)"
CANARIES = [
    Canary("ray", "ray._private", ("ray_constants",), EMBEDDED),
    Canary("ray", "ray._private.ray_constants", ("ENABLE_RAY_CLUSTER",), EMBEDDED),
    Canary("ray", "ray._raylet", ("Config", "AuthenticationTokenLoader"), EMBEDDED),
    Canary("ray", "ray._raylet.Config", ("initialize",), EMBEDDED),
    Canary("ray", "ray._raylet.AuthenticationTokenLoader", ("instance", "reset_cache"), EMBEDDED),
    Canary(
        "ray",
        "ray.rllib.env.env_runner_group.EnvRunnerGroup()",
        ("_worker_manager", "_remote_config", "_remote_config_obj_ref", "_remote_args"),
        RESIZING,
    ),
    Canary("ray", "ray.rllib.utils.actor_manager.FaultTolerantActorManager", ("actor_ids", "remove_actor"), RESIZING),
    Canary(
        "ray",
        "ray.rllib.utils.actor_manager.FaultTolerantActorManager",
        ("actors", "set_actor_state"),
        "populations that do not answer (cluster/training/runner_group.py)",
    ),
    Canary(
        "ray",
        "ray.rllib.env.single_agent_env_runner.SingleAgentEnvRunner()",
        ("_needs_initial_reset", "_weights_seq_no"),
        "resumed trainings that end as others do (cluster/training/env_runner.py)",
    ),
    Canary(
        "ray",
        "ray.rllib.env.env_runner.EnvRunner()",
        ("_seed",),
        "resumed trainings that end as others do (cluster/training/env_runner.py)",
    ),
    Canary("ray", "ray.rllib.algorithms.algorithm.Algorithm", ("restore_env_runners",), RESIZING, ("self", "group")),
    Canary(
        "ray", "ray._private.runtime_env.constants", ("RAY_JOB_CONFIG_JSON_ENV_VAR",), "jobs that know their own name"
    ),
    Canary(
        "mlflow",
        "mlflow.server",
        ("ARTIFACT_ROOT_ENV_VAR", "ARTIFACTS_DESTINATION_ENV_VAR", "BACKEND_STORE_URI_ENV_VAR"),
        TRACKING_SERVER,
    ),
    Canary("mlflow", "mlflow.server", ("SERVE_ARTIFACTS_ENV_VAR",), TRACKING_SERVER),
    Canary("mlflow", "mlflow.server.handlers", ("initialize_backend_stores",), TRACKING_SERVER, ("a", "b", "c")),
    Canary("mlflow", "mlflow.server.fastapi_app", ("app",), TRACKING_SERVER),
    Canary(
        "ray",
        "ray.rllib.core.distribution.torch.torch_distribution.TorchMultiDistribution()",
        ("_original_struct",),
        "the agent's actions (cluster/training/rl_module.py)",
    ),
    Canary(
        "ray",
        "ray.rllib.core.rl_module.rl_module.RLModule",
        ("_forward",),
        "the agent's network inside RLlib (cluster/training/rl_module.py)",
    ),
    Canary("ray", "ray.tune.schedulers.pb2_utils", ("TV_SquaredExp",), "the rival PB2 (comparison/rivals/pb2.py)"),
    Canary("torch", "torch._C._dynamo.guards", ("assert_alignment", "_empty_strided_cpu"), COMPILING),
    Canary(
        "torch",
        "torch._C._dynamo.guards",
        ("_reinterpret_tensor", "_torchinductor_pyobject_tensor_data_ptr"),
        COMPILING,
    ),
    Canary("torch", "torch._ops", ("OpOverload",), COMPILING),
    Canary("torch", "torch.ops.aten.add_.Tensor", ("_schema",), COMPILING),
    Canary("torch", "torch.ops.aten.add_.Tensor._schema", ("is_mutable",), COMPILING),
    Canary("torch", "torch.fx.experimental.proxy_tensor", ("make_fx",), COMPILING),
    Canary("torch", "torch._inductor.decomposition", ("select_decomp_table",), COMPILING, ()),
    Canary("torch", "torch._inductor.compile_fx", ("fake_tensor_prop",), COMPILING, ("graph", [])),
    Canary("torch", "torch._inductor.debug", ("DebugContext",), COMPILING, ()),
    Canary("torch", "torch._inductor.fx_passes.post_grad", ("post_grad_passes",), COMPILING, ("graph", True)),
    Canary("torch", "torch._inductor.fx_passes.post_grad", ("view_to_reshape",), COMPILING, ("graph",)),
    Canary("torch", "torch._inductor.graph", ("GraphLowering",), COMPILING),
    Canary("torch", "torch._inductor.graph.GraphLowering", ("run", "codegen"), COMPILING),
    Canary("torch", "torch._inductor.graph.GraphLowering()", ("constants",), COMPILING),
    Canary("torch", "torch._inductor.virtualized", ("V",), COMPILING),
    Canary(
        "torch",
        "torch._inductor.virtualized.V",
        ("set_fake_mode", "set_graph_handler", "set_extern_kernel_nodes"),
        COMPILING,
    ),
    Canary("torch", "torch._inductor", ("config",), COMPILING),
    Canary("torch", "torch._inductor.config", ("patch", "size_asserts"), COMPILING),
    Canary("torch", "torch._inductor.config.cpp", ("vec_isa_ok",), COMPILING),
    Canary("torch", "torch._inductor.codegen", ("common",), COMPILING),
    Canary("torch", "torch._inductor.codegen.common", ("DtypePropagationOpsHandler",), COMPILING, ()),
    Canary("torch", "torch._inductor.cpu_vec_isa", ("VecISA",), COMPILING),
    Canary("torch", "torch._inductor.cpu_vec_isa.VecISA", ("check_build",), COMPILING),
    Canary("torch", "torch._inductor.cpu_vec_isa", ("pick_vec_isa",), COMPILING, ()),
    Canary("torch", "torch._inductor.cpp_builder", ("CppTorchOptions",), COMPILING, ("isa",)),
    Canary("torch", "torch._inductor.cpp_builder", ("CppBuilder",), COMPILING, ("name", "source", "options", "folder")),
    Canary("torch", "torch._inductor.cpp_builder.CppBuilder", ("build", "get_target_file_path"), COMPILING),
    Canary("sympy", "sympy", ("simplify", "expand"), COMPILING),
]


@functools.cache
def pins() -> dict[str, str]:
    """Distribution -> the versions that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    found = {}
    for each in wanted:
        name = each.split("[")[0].split(">")[0].split("<")[0]
        found.setdefault(name, each.removeprefix(name).split("]")[-1])
    return found


def resolved(where: str) -> Any:
    """The module or attribute with a dotted path."""
    parts = where.split(".")
    for length in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's, about itself
                found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return functools.reduce(getattr, parts[length:], found)
    raise ImportError(where)


def has(where: str, name: str) -> bool:
    if where.endswith("()"):
        made = resolved(where.removesuffix("()"))
        return hasattr(made, name) or f"self.{name}" in inspect.getsource(made)
    return hasattr(resolved(where), name)


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: f"{canary.where}:{canary.names[0]}")
def test_a_private_name_is_still_there(canary: Canary) -> None:
    tried = f"{canary.library} {version(canary.library)} (qsynth takes {pins().get(canary.library, 'any')})"
    for name in canary.names:
        said = f"{tried} has no {canary.where}.{name}, or it has changed. It is needed for {canary.feature}."
        try:
            there = has(canary.where, name)
        except (ImportError, AttributeError) as error:
            pytest.fail(f"{said} ({error})")
        assert there, said
        if canary.takes is not None:
            called = getattr(resolved(canary.where), name)
            try:
                inspect.signature(called).bind(*canary.takes)
            except TypeError as error:
                pytest.fail(f"{said} ({error})")


def test_the_pins_of_watched_libraries_are_closed() -> None:
    """A new minor release is tried before users get it."""
    for library in {canary.library for canary in CANARIES} - {"sympy"}:
        assert "<" in pins()[library], library


def private_names(path: Path) -> Iterator[str]:
    """Private modules that a file imports from, and private attributes of anything but itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and any(part.startswith("_") for part in (node.module or "").split(".")):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            yield from [node.attr] if node.attr.startswith("_") and not node.attr.startswith("__") else []


def own_names() -> set[str]:
    """Private names that the product's classes have themselves."""
    found = set()
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found.add(node.name)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
    return found


PRODUCT = sorted(path for package in ("qsynth", "rl_envs", "cluster") for path in (ROOT / package).rglob("*.py"))


def test_every_private_name_has_a_canary() -> None:
    watched = {f"{canary.where}.{name}" for canary in CANARIES for name in canary.names}
    watched |= {name for canary in CANARIES for name in (*canary.names, *canary.where.split("."))}
    known = watched | NAMED_TUPLES | own_names()
    missing = {(str(path.relative_to(ROOT)), name) for path in PRODUCT for name in private_names(path)}
    assert not {(path, name) for path, name in missing if name not in known}

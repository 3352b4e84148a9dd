"""Ray: started here, or joined."""

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from cluster.machines.private_ray import private_ray
from cluster.study.hardware import qpus
from cluster.study.placement import Placement, parts
from cluster.study.study import MIN_COMPILED, Study
from cluster.system.environment import WORKER_ENVIRONMENT
from qsynth.circuits.engine import STATEVECTOR, choose
from qsynth.circuits.statevector import human_bytes
from qsynth.errors import QsynthError
from qsynth.execution.compilation import compiler_failure

PROBE_SECONDS = 5.0


def check_address(address: str | None) -> None:
    """Find out whether anybody listens at a cluster's ``address``, as Ray itself would try for minutes.

    Raises:
        QsynthError: nobody does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return  # "auto", or a form that only Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise QsynthError(f"no Ray cluster answers at {address!r}: {error}") from None


@contextmanager
def ray_session(address: str | None, study: str) -> Iterator[dict[str, Any]]:
    """A connection to Ray for the time of a study: an embedded one on loopback, or the cluster at ``address``.

    Yields:
        the cluster's resources, name -> amount.

    Raises:
        QsynthError: no cluster at ``address``.
    """
    import ray

    check_address(address)
    common = {"namespace": f"qsynth-{study}", "runtime_env": {"env_vars": WORKER_ENVIRONMENT}}
    # Whatever devices there are, this machine's user has them one at a time.
    session = private_ray(resources={"qpu": 1}, **common) if address is None else _joined(address, **common)
    # Ray prints what becomes of its workers to standard output, where a script expects one JSON object.
    with session, redirect_stdout(sys.stderr):
        yield dict(ray.cluster_resources())


@contextmanager
def _joined(address: str, **options: Any) -> Iterator[None]:
    """A cluster that runs already."""
    import ray

    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise QsynthError(f"no Ray cluster answers at {address!r}: {' '.join(str(error).split())}") from None
    try:
        yield
    finally:
        ray.shutdown()


def plan_runners(study: Study, cluster: Mapping[str, Any]) -> dict[Placement, int]:
    """How many populations of each kind to run when nobody else does: the wish, or all there is room for.

    Raises:
        QsynthError: it wants more than there is room for, or there is none for a single one.
    """
    placements = study.placements()
    if any(placement.gpus for placement in placements) and not cluster.get("GPU"):
        raise QsynthError("resources.place must be cpu on a cluster without a GPU")
    if study.hardware is not None or any(placement.qpus for placement in placements):
        qpus(cluster)
    granted = parts({str(index): placement for index, placement in enumerate(placements)}, cluster)
    sizes = dict(zip(placements, granted.values(), strict=True))
    for placement, count in sizes.items():
        if max(1, placement.most or 1) > count:
            got = f"got {placement.most}" if placement.most else "no population fits"
            _, limit = placement.room(cluster)
            what = f"{human_bytes(placement.memory)} of memory" if limit == "memory" else f"a {limit}"
            raise QsynthError(
                f"resources.n_runners must be at most {count}, as each population of {placement.describe()} takes "
                f"{what} of the cluster's; {got}"
            )
    return sizes


def plan_compilation(study: Study, n_runners: int) -> tuple[bool, str]:
    """Whether populations compile their updates, and why."""
    import shutil

    if all(kind.place == "cuda" for kind in study.resources.kinds):
        return False, "CUDA graphs"
    engine = choose(study.trial.engine, study.trial.n_qubits)
    if engine.name != STATEVECTOR:
        return False, f"eager: {engine.name} is called lane by lane"
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        return False, "eager: compiling needs a C++ compiler, and none was found"
    per_runner = study.budget.agent_trials * study.iterations_per_run // n_runners
    if study.compiled is False:
        return False, "eager: the study asks for it"
    if study.compiled is None and per_runner < MIN_COMPILED:
        return False, f"eager: {per_runner:,} trial-iterations a worker would not pay for compiling"
    if compiler_failure() is not None:
        return False, "eager: compiling fails here"
    if study.compiled:
        return True, "compiled: the study asks for it"
    return True, f"compiled: {per_runner:,} trial-iterations a worker pay for it"

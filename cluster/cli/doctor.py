"""``qsynth doctor``: what is here, what a study would use, and what to mend."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.cli.output import emit
from cluster.machines.session import plan_compilation

PACKAGES = ("ray", "torch", "pennylane", "pennylane-lightning", "mlflow", "gymnasium", "numpy", "pydantic", "qsynth")


def run_doctor(study_name: str | None, as_json: bool) -> None:
    """Print the findings.

    Raises:
        QsynthError: an invalid study.
    """
    findings = examine(study_name)
    if as_json:
        emit(findings)
        return
    console = Console()
    for section, rows in findings.items():
        table = Table(title=section, title_justify="left", box=None, show_header=False, pad_edge=False)
        table.add_column(overflow="fold", min_width=22)
        table.add_column(overflow="fold")
        for name, value in rows.items():
            table.add_row(name, escape(str(value)))
        console.print(table)
        console.print()


def examine(study_name: str | None) -> dict[str, dict[str, Any]]:
    """Section -> name -> finding."""
    from cluster.study.study import load_study

    found = {"versions": _versions(), "machine": _machine(), "devices": _devices(), "services": _services()}
    found["plugins"] = _plugins()
    if study_name is not None:
        study = load_study(study_name)
        from cluster.cli.bar import describe_bar, latest_conclusion
        from cluster.study.circuit_remarks import circuit_remarks
        from cluster.study.placement import describe_sizes
        from qsynth.circuits.engine import choose
        from qsynth.circuits.statevector import human_bytes
        from qsynth.execution.place import check_place

        study.check()
        for kind in study.resources.kinds:
            check_place(kind.place)
        choice = choose(study.trial.engine, study.trial.n_qubits)
        sizes, instance = study.local_sizes(), study.data.instance(0, held_out=True)
        needed = sum(count * study.population_bytes(instance, kind.n_lanes) for kind, count in sizes.items())
        found[f"study {study.name}"] = {
            "engine": f"{choice.name}: {choice.reason}",
            "execution": plan_compilation(study, sum(sizes.values()))[1],
            "populations": f"{describe_sizes(sizes)}, at most {human_bytes(needed)} of circuits' states and networks",
            "hardware": "none" if study.hardware is None else study.hardware.check(study.trial),
            "agent trains on": f"{study.budget.agent_trials:,} trials of {study.iterations_per_run:,} GAN iterations",
            "circuit": "; ".join(circuit_remarks(study)) or "every parameter has an effect on the outputs used",
            "yardsticks": describe_bar(study),
            "latest result": latest_conclusion(study.name, Path("qsynth-runs")),
        }
    return found


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed: pip install qsynth"
    return found


def _machine() -> dict[str, str]:
    import psutil

    memory = psutil.virtual_memory()
    compiler = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    return {
        "cpus": str(os.cpu_count()),
        "memory": f"{memory.available / 2**30:.1f} GiB free of {memory.total / 2**30:.1f}",
        "disk": f"{shutil.disk_usage('.').free / 2**30:.1f} GiB free here",
        "C++ compiler": compiler or "none: populations run eagerly, several times slower; install g++ or clang++",
        "threads a process": os.environ["OMP_NUM_THREADS"],
    }


def _devices() -> dict[str, str]:
    import torch

    from qsynth.circuits.device import known_devices, why_not
    from qsynth.circuits.options import DeviceOptions
    from qsynth.circuits.statevector import MAX_QUBITS
    from qsynth.circuits.vendors import PLUGINS

    found = {"statevector": f"yes, up to {MAX_QUBITS} qubits, on the CPU"}
    known = known_devices()
    local = ("default.qubit", "default.mixed", "lightning.qubit", "lightning.gpu")
    for name in dict.fromkeys((*local, *PLUGINS)):
        if name not in known:
            found[name] = f"not installed: pip install {PLUGINS[name]}"
        elif name in local:  # others may ask their vendors, which takes time
            reason = why_not(name, 1, DeviceOptions())
            found[name] = "yes" if reason is None else f"installed, but can't be used here: {reason[:120]}"
        else:
            found[name] = "installed"
    others = [name for name in known if name not in found and not name.startswith(("default.", "null", "reference"))]
    found["further devices"] = ", ".join(others) or "none"
    if torch.cuda.is_available():
        found["CUDA"] = f"{torch.cuda.get_device_name()}; populations use it with resources.place: cuda"
    else:
        found["CUDA"] = "none: torch sees no GPU"
    return found


def _plugins() -> dict[str, str]:
    from qsynth.plugins import GROUP, installed_plugins

    found = {}
    for plugin in installed_plugins():
        fault = f", which can't be loaded: {plugin.fault}" if plugin.fault else ""
        found[plugin.name] = f"{plugin.package} {plugin.version}{fault}"
    return found or {GROUP: "none"}


def _services() -> dict[str, str]:
    from cluster.service.faults import faults
    from cluster.service.service import Service

    mode, service = os.environ["RAY_AUTH_MODE"], Service.load()
    here = "none runs here; start one with: qsynth up"
    if service is not None:
        here = ", ".join(
            f"{what} {where}"
            for what, where in (
                ("cluster", service.cluster),
                ("dashboard", service.dashboard),
                ("MLflow", service.tracking_uri),
            )
            if where
        )
    return {
        "service": here,
        "service's faults": "; ".join(faults()) or "none",
        "Ray": "embedded, on loopback and with a token of its own, unless --address names a cluster",
        "a named cluster's token": "none is shown to it" if mode == "disabled" else "as RAY_AUTH_MODE=token says",
        "listening now": _listening(),
        "MLflow": "embedded sqlite in --out unless --tracking-uri names a server",
    }


def _listening() -> str:
    from cluster.machines.listening import listeners

    found = listeners()
    exposed = [each.describe() for each in found if each.exposed]
    if not exposed:
        return f"{len(found)} ports of Ray and MLflow, all on loopback" if found else "nothing of Ray or MLflow"
    return (
        f"{len(exposed)} of {len(found)} ports can be reached from other machines: {', '.join(exposed)}; if no worker "
        "is to join from there, do: qsynth down, or stop what started them"
    )

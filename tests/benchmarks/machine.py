"""What a result was measured on, and what one core of it can do at best."""

import argparse
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "pennylane", "pennylane-lightning", "jax", "pyqtorch", "ray", "numpy")


def describe() -> dict[str, Any]:
    """Date, processor, versions and the command."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    module = sys.modules["__main__"].__spec__
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "versions": found,
        "command": shlex.join(["python", "-m", module.name if module else sys.argv[0], *sys.argv[1:]]),
    }


def output_argument(parser: argparse.ArgumentParser) -> None:
    """``--out``, the file to write."""
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result under the machine's description."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": describe()} | result, indent=1) + "\n")


def roofs() -> dict[str, float]:
    """The best that one core did: GFLOP/s of a float32 matrix product of 1,024 x 1,024, GB/s read and written by a
    copy of 256 MiB."""
    import torch

    torch.set_num_threads(1)
    size = 1024
    a, b = torch.randn(2, size, size).unbind()
    source = torch.randn(1 << 26)
    target = torch.empty_like(source)
    return {
        "gflops": 2 * size**3 / _best(lambda: a @ b) / 1e9,
        "gbytes_per_s": 2 * source.nbytes / _best(lambda: target.copy_(source)) / 1e9,
    }


def _best(call: Callable[[], Any]) -> float:
    call()
    seconds = []
    for _ in range(9):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    return min(seconds)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    return (
        f"{named.get('model name', platform.processor())}, family {named.get('cpu family')} model {named.get('model')}"
    )

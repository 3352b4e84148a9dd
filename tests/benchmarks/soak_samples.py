"""What the processes of a service take, sampled over hours, and whether it grows."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from scipy import stats

from cluster.service.daemon import DaemonProcess
from cluster.system.home import HOME

MIB = 1 << 20
BLOCK_SECONDS = 300.0
# What tells a long-lived process by its command line -> what it is called; the first that fits.
LONG_LIVED = {
    "cluster.service.supervisor": "supervisor",
    "cluster.service.mlflow_server": "mlflow and its token gate",
    "/gcs_server ": "ray: gcs",
    "/raylet/raylet ": "ray: raylet",
    "/dashboard/dashboard.py": "ray: dashboard",
    "ray-dashboard-": "ray: dashboard module",
    "ray::DashboardAgent": "ray: dashboard agent",
    "/dashboard/agent.py": "ray: dashboard agent",
    "ray::RuntimeEnvAgent": "ray: runtime environments",
    "/runtime_env/agent/main.py": "ray: runtime environments",
    "log_monitor.py": "ray: log monitor",
    "/monitor.py": "ray: autoscaler",
    "ray.scripts.scripts import main": "ray: start",
}


def role_of(command: str) -> str | None:
    """What a long-lived process is called; None for others, of studies."""
    name = next((name for part, name in LONG_LIVED.items() if part in command), None)
    return f"{name} {command.split()[0]}" if name == "ray: dashboard module" else name


@dataclass
class Series:
    """What one long-lived process took, sample by sample.

    Attributes:
        process: its number and beginning.
        seconds: since the soak began.
        mib: resident memory.
        descriptors: open ones.
    """

    process: tuple[int, float]
    seconds: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)


class Samples:
    """What all processes of a service took.

    Args:
        home: the service's home, which its processes have in their environment.
    """

    def __init__(self, home: Path) -> None:
        self._mark = f"{HOME}={home}\0".encode()
        self._began = time.monotonic()
        self.seconds: list[float] = []
        self.resident_mib: list[float] = []
        self.proportional_mib: list[float] = []
        self.series: dict[str, list[Series]] = {}

    def take(self, roots: Iterable[DaemonProcess]) -> None:
        """Look at the processes that the service started, and at all that came of them."""
        now = time.monotonic() - self._began
        resident = proportional = 0.0
        for process in self._family(roots):
            with suppress(psutil.Error, OSError):
                with process.oneshot():
                    mib = process.memory_info().rss / MIB
                    name = role_of(" ".join(process.cmdline()) + " ")
                    key = (process.pid, process.create_time())
                    descriptors = process.num_fds()
                resident += mib
                proportional += process.memory_full_info().pss / MIB
                if name is not None:
                    self._append(name, key, now, mib, descriptors)
        self.seconds.append(now)
        self.resident_mib.append(resident)
        self.proportional_mib.append(proportional)

    def _append(self, name: str, key: tuple[int, float], now: float, mib: float, descriptors: int) -> None:
        known = self.series.setdefault(name, [])
        if key not in [each.process for each in known]:
            known.append(Series(key))
        [series] = [each for each in known if each.process == key]
        series.seconds.append(now)
        series.mib.append(mib)
        series.descriptors.append(descriptors)

    def _family(self, roots: Iterable[DaemonProcess]) -> list[psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for root in roots:
            with suppress(psutil.Error):
                parent = psutil.Process(root.pid)
                found |= {each.pid: each for each in (parent, *parent.children(recursive=True))}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.pid not in found and self._mark in Path(f"/proc/{process.pid}/environ").read_bytes():
                    found[process.pid] = process
        return list(found.values())


def trend(seconds: list[float], values: list[float], after: float) -> dict[str, object] | None:
    """A straight line through the means of blocks of five minutes after some seconds; None with fewer than four blocks.

    Samples that follow each other are alike, so their number would make the interval too narrow; that of blocks does
    less so.

    Returns:
        first and last block's mean, least and most value, the slope an hour, and its 95 % interval of Student's t.
    """
    x = np.array([each for each in seconds if each >= after])
    y = np.array(values[len(values) - len(x) :], float)
    block = ((x - after) // BLOCK_SECONDS).astype(int)
    numbers = np.unique(block)
    if len(numbers) < 4:
        return None
    hours = np.array([x[block == number].mean() for number in numbers]) / 3600
    means = np.array([y[block == number].mean() for number in numbers])
    line = stats.linregress(hours, means)
    half = float(stats.t.ppf(0.975, len(numbers) - 2) * np.nan_to_num(line.stderr))
    slope = float(line.slope)
    return {
        "first": round(float(means[0]), 2),
        "last": round(float(means[-1]), 2),
        "least": round(float(y.min()), 2),
        "most": round(float(y.max()), 2),
        "an_hour": round(slope, 3),
        "interval": [round(slope - half, 3), round(slope + half, 3)],
    }


def thinned(seconds: list[float], values: list[float], most: int) -> list[float]:
    """At most so many of the values, evenly spaced."""
    chosen = np.unique(np.linspace(0, len(seconds) - 1, min(most, len(seconds))).astype(int)) if seconds else []
    return [round(values[index], 1) for index in chosen]

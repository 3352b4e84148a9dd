"""What each population of a study occupies on its host, and how many fit on a cluster."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Placement:
    """The demand of one population: a CPU, and what it computes on.

    Attributes:
        gpus: share of a GPU, or 0.
        qpus: 1 where each population holds a quantum device, else 0.
        memory: bytes of host memory, by estimate.
        most: how many populations the study wants; None: as many as there is room for.
    """

    gpus: float
    qpus: int
    memory: int
    most: int | None

    @property
    def scarce(self) -> str:
        """The resource that limits how many populations run: GPU, qpu or CPU."""
        return "GPU" if self.gpus else "qpu" if self.qpus else "CPU"

    def room(self, cluster: Mapping[str, Any]) -> tuple[int, str]:
        """How many populations a cluster's resources (name -> amount) have room for, and which resource limits them."""
        demand = {"CPU": 1.0, "GPU": self.gpus, "qpu": float(self.qpus), "memory": float(self.memory)}
        # Ray tells no memory of a cluster that it was not told of.
        present = {"CPU": 1.0, "memory": math.inf, **cluster}
        rooms = {name: present.get(name, 0.0) / each for name, each in demand.items() if each}
        limit = min(rooms, key=lambda name: rooms[name])
        return int(rooms[limit]), limit

    def options(self) -> dict[str, Any]:
        """The demand as options of a Ray actor."""
        return {
            "num_cpus": 1,
            "num_gpus": self.gpus,
            "memory": self.memory,
            "resources": {"qpu": self.qpus} if self.qpus else None,
        }

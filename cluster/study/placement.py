"""What each population of a study occupies on its host, how many fit on a cluster, and how studies divide it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qsynth.execution.place import Place

SCARCE = ("GPU", "qpu", "CPU")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One kind of population, and the demand of each: a CPU, and what it computes on.

    Attributes:
        place: where it computes.
        n_lanes: its trials.
        gpus: share of a GPU, or 0.
        qpus: 1 where each population holds a quantum device, else 0.
        memory: bytes of host memory, by estimate.
        most: how many of them the study wants; None: as many as there is room for.
    """

    place: Place
    n_lanes: int
    gpus: float
    qpus: int
    memory: int
    most: int | None

    @property
    def scarce(self) -> str:
        """The resource that limits how many populations run: GPU, qpu or CPU."""
        return "GPU" if self.gpus else "qpu" if self.qpus else "CPU"

    def describe(self) -> str:
        """The kind, for people."""
        return f"{self.n_lanes} {'trial' if self.n_lanes == 1 else 'trials'}{' on a GPU' if self.gpus else ''}"

    def demand(self) -> dict[str, float]:
        """Resource -> amount that each population takes of it."""
        amounts = {"CPU": 1.0, "GPU": self.gpus, "qpu": float(self.qpus), "memory": float(self.memory)}
        return {name: amount for name, amount in amounts.items() if amount}

    def room(self, cluster: Mapping[str, float]) -> tuple[int, str]:
        """How many populations a cluster's resources (name -> amount) have room for, and which resource limits them."""
        # Ray tells no memory of a cluster that it was not told of.
        present = {"CPU": 1.0, "memory": math.inf, **cluster}
        rooms = {name: max(0.0, present.get(name, 0.0)) / each for name, each in self.demand().items()}
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


def parts(claims: Mapping[str, Placement], cluster: Mapping[str, float]) -> dict[str, int]:
    """How many populations of each kind may run when studies claim a cluster together.

    GPUs and quantum devices are divided evenly among the kinds that compute on them; CPUs are then, less the one that
    each of those takes.

    Args:
        claims: the kinds of all studies, by any names.
        cluster: resource -> amount.
    """
    left, found = dict(cluster), dict[str, int]()
    for scarce in SCARCE:
        rivals = {name: claim for name, claim in claims.items() if claim.scarce == scarce}
        wishes = {name: claim.most or 0 for name, claim in rivals.items()}
        granted = {name: divide(claim.room(left)[0], wishes)[name] for name, claim in rivals.items()}
        for name, count in granted.items():
            for resource, each in claims[name].demand().items():
                left[resource] = left.get(resource, math.inf) - count * each
        found |= granted
    return found


def divide(total: int, wishes: Mapping[str, int]) -> dict[str, int]:
    """Equal parts of ``total``, none above its wish (0: no limit); what one does not want goes to the others.

    Max-min fairness; of what can't be divided the first names get one each.
    """
    found: dict[str, int] = {}
    left = total
    for place, name in enumerate(sorted(wishes, key=lambda name: (wishes[name] or total, name))):
        equal = -(-left // (len(wishes) - place))
        found[name] = min(wishes[name] or equal, equal)
        left -= found[name]
    return found


def describe_sizes(sizes: Mapping[Placement, int]) -> str:
    """How many populations of which kinds."""
    return " and ".join(
        f"{count} {'population' if count == 1 else 'populations'} of {each.describe()}" for each, count in sizes.items()
    )

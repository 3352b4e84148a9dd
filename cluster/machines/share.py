"""How many populations a study may run now: what there is, divided evenly among the studies that run."""

import re
from collections.abc import Sequence

import ray

from cluster.study.placement import SCARCE, Placement, parts
from qsynth.execution.place import Place

NAMESPACE, SHARE = "qsynth", "share"
_CLAIM = rf"(?:{'|'.join(SCARCE)})\*[0-9.e+-]+\*[0-9]+"
# A run's name comes first and may be anything, colons included; what follows it can't be mistaken.
PRESENCE = re.compile(rf".*:{SHARE}:[0-9a-f]+:(?P<claims>{_CLAIM}(?::{_CLAIM})*)", re.DOTALL)


@ray.remote(num_cpus=0)
class Presence:
    """Lives as long as its study's driver does. Its name says what the study takes part in, and wants at most."""


class ClusterShare:
    """One study's part of a cluster. Nobody hands parts out: each study finds the same ones in the cluster's state.

    Args:
        run: the run's name.
        placements: the kinds of its populations, and how many of each it wants.
    """

    def __init__(self, run: str, placements: Sequence[Placement]) -> None:
        self._placements = tuple(placements)
        self._name = presence_name(run, _job(), placements)
        self._presence = Presence.options(name=self._name, namespace=NAMESPACE).remote()  # type: ignore[attr-defined]

    def __call__(self) -> dict[Placement, int]:
        """Populations of each kind that the study may run at this moment, at least one in all.

        A kind whose resource is gone from the cluster has none, and the study goes on with the others.
        """
        names = {str(each["name"]) for each in ray.util.list_named_actors(all_namespaces=True)} - {self._name}
        claims = {f"{name}:{index}": claim for name in names for index, claim in enumerate(claims_of(name))}
        mine = [f"{self._name}:{index}" for index in range(len(self._placements))]
        found = parts(claims | dict(zip(mine, self._placements, strict=True)), ray.cluster_resources())
        sizes = {kind: found[name] for kind, name in zip(self._placements, mine, strict=True) if found[name]}
        return sizes or {self._placements[0]: 1}


def _job() -> str:
    """Tells attempts at a run apart."""
    return str(ray.get_runtime_context().get_job_id())


def presence_name(run: str, job: str, placements: Sequence[Placement]) -> str:
    """The name of a study's presence: its run, which attempt it is, and what it claims.

    Args:
        job: of Ray, in hexadecimal digits.
    """
    wishes = (f"{each.scarce}*{each.gpus}*{each.most or 0}" for each in placements)
    return ":".join((run, SHARE, job, *wishes))


def claims_of(name: str) -> list[Placement]:
    """What a presence of this name claims; nothing if it is another actor's. How much memory it takes is unknown."""
    presence = PRESENCE.fullmatch(name)
    found = []
    for claim in presence["claims"].split(":") if presence else []:
        scarce, gpus, most = claim.split("*")
        place: Place = "cuda" if scarce == "GPU" else "cpu"
        found.append(
            Placement(
                place=place, n_lanes=1, gpus=float(gpus), qpus=int(scarce == "qpu"), memory=0, most=int(most) or None
            )
        )
    return found

"""How many populations a study may run now: what there is, divided evenly among the studies that run."""

from collections.abc import Mapping

import ray

from cluster.placement import Placement

NAMESPACE, SHARE = "qsynth", "share"


@ray.remote(num_cpus=0)
class Presence:
    """Lives as long as its study's driver does. Its name says what the study takes part in, and wants at most."""


class Share:
    """One study's part of a cluster. Nobody hands parts out: each study finds the same ones in the cluster's state.

    Attributes:
        placement: what its populations occupy, and how many it wants.
    """

    def __init__(self, run: str, placement: Placement) -> None:
        self.placement = placement
        self._name = ":".join((run, SHARE, placement.scarce, str(placement.most or 0), _job()))
        self._presence = Presence.options(name=self._name, namespace=NAMESPACE).remote()  # type: ignore[attr-defined]

    def __call__(self) -> int:
        """Populations that the study may run at this moment, at least 1."""
        names = {str(each["name"]) for each in ray.util.list_named_actors(all_namespaces=True)} | {self._name}
        claims = {name: name.split(":")[1:4] for name in names if name.count(":") == 4}
        kind = [SHARE, self.placement.scarce]
        wishes = {name: int(claim[2]) for name, claim in claims.items() if claim[:2] == kind}
        room, _ = self.placement.room(ray.cluster_resources())
        return max(1, divide(room, wishes)[self._name])


def _job() -> str:
    """Tells attempts at a run apart."""
    return str(ray.get_runtime_context().get_job_id())


def divide(total: int, wishes: Mapping[str, int]) -> dict[str, int]:
    """Equal parts of ``total``, none above its wish (0: no limit); what one does not want goes to the others.

    Max-min fairness; of what can't be divided the first names get one each.
    """
    parts: dict[str, int] = {}
    left = total
    for place, name in enumerate(sorted(wishes, key=lambda name: (wishes[name] or total, name))):
        equal = -(-left // (len(wishes) - place))
        parts[name] = min(wishes[name] or equal, equal)
        left -= parts[name]
    return parts

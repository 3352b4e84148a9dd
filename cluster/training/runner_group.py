"""RLlib's group of sampling actors, with populations of several kinds that come and go."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from cluster.study.placement import Placement

SYNC_SECONDS = 300.0  # that weights which are under way have to arrive: populations may still be starting


def build(settings: Any) -> Any:
    """An algorithm whose EnvRunners get their settings by value.

    RLlib sends a reference, of which Ray warns on standard error at every start, as these actors may restart.
    """
    from ray.rllib.algorithms import algorithm
    from ray.rllib.env.env_runner_group import EnvRunnerGroup

    class ByValue(EnvRunnerGroup):  # type: ignore[misc]  # Ray has no types
        @property
        def _remote_config_obj_ref(self) -> Any:
            return self._remote_config

        @_remote_config_obj_ref.setter
        def _remote_config_obj_ref(self, reference: Any) -> None:
            pass

    algorithm.EnvRunnerGroup = ByValue
    try:
        return settings.build_algo()
    finally:
        algorithm.EnvRunnerGroup = EnvRunnerGroup


class RunnerGroup:
    """The EnvRunners of an algorithm, each of which holds one population.

    RLlib builds them all alike, and has no public way to take one out; this class does both by its internal ones.

    Args:
        algorithm: built with runners of kind ``first`` only.
        settings: RLlib's settings for runners of a kind.
    """

    def __init__(self, algorithm: Any, first: Placement, settings: Callable[[Placement], Any]) -> None:
        self._algorithm, self._settings = algorithm, settings
        self._group = algorithm.env_runner_group
        self._kinds = dict.fromkeys(self._manager.actor_ids(), first)

    @property
    def _manager(self) -> Any:
        return self._group._worker_manager

    def sizes(self) -> dict[Placement, int]:
        """Populations of each kind at present, those included that are lost and not yet back."""
        return dict(Counter(self._kinds.values()))

    @property
    def n_healthy(self) -> int:
        """Populations that are not known to be lost."""
        return len(self._group.healthy_env_runner_ids())

    def sync(self) -> None:
        """Hand the learner's weights to all populations.

        Beside weights that are still under way RLlib drops these; the next sample would have others. So wait for them.
        """
        self._group.sync_weights(
            from_worker_or_learner_group=self._algorithm.learner_group,
            inference_only=True,
            timeout_seconds=SYNC_SECONDS,
        )

    def restart(self) -> None:
        """Kill all populations that are taken to live; Ray makes them anew, and they count as lost until then."""
        import ray

        for index in self._group.healthy_env_runner_ids():
            ray.kill(self._manager.actors()[index], no_restart=False)
            self._manager.set_actor_state(index, healthy=False)

    def resize(self, sizes: Mapping[Placement, int]) -> None:
        """Have so many populations of each kind; lost ones go first."""
        import ray

        healthy = set(self._group.healthy_env_runner_ids())
        for kind, count in self.sizes().items():
            present = [index for index, each in self._kinds.items() if each == kind]
            present.sort(key=lambda index: (index in healthy, -index))
            for index in present[: max(0, count - sizes.get(kind, 0))]:
                ray.kill(self._manager.remove_actor(index))
                del self._kinds[index]
        present_sizes = self.sizes()
        for kind, count in sizes.items():
            if (missing := count - present_sizes.get(kind, 0)) > 0:
                self._add(kind, missing)

    def _add(self, kind: Placement, count: int) -> None:
        self._group._remote_config = self._settings(kind)
        self._group._remote_args |= kind.options()
        self._group.add_workers(count)
        new = sorted(set(self._manager.actor_ids()) - set(self._kinds))
        self._kinds |= dict.fromkeys(new, kind)
        self._group.sync_weights(
            from_worker_or_learner_group=self._algorithm.learner_group, to_worker_indices=new, inference_only=True
        )

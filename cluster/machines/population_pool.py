"""Populations on Ray actors, for playing episodes that are not the agent's training."""

import itertools
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError

from cluster.machines.share import ClusterShare
from cluster.study.placement import Placement
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Keep
from rl_envs.agents import Agent
from rl_envs.config import EnvironmentConfig
from rl_envs.rollout import Assignment, Episode

logger = logging.getLogger(__name__)


@ray.remote
class PopulationWorker:
    """One population in a process of its own."""

    def __init__(self, environment: EnvironmentConfig, n_lanes: int) -> None:
        import torch

        from rl_envs.config import make_tuner
        from rl_envs.watchdog import Watchdog

        torch.set_num_threads(1)
        Watchdog.allow()
        self._tuner = make_tuner(environment, n_lanes)

    def features(self) -> list[str]:
        """Names of the observation's entries."""
        return self._tuner.features

    def compiler_failure(self) -> str | None:
        """Why the population computes eagerly though it was to be compiled, if so."""
        return self._tuner.population.compiler.failure

    def play(self, agent: Agent, wave: Sequence[Assignment], test: bool, snapshots: bool, keep: Keep) -> list[Episode]:
        """Play at most ``n_lanes`` trials; the agent's values for one lane each are in the wave's order."""
        from rl_envs.rollout import play

        return play(self._tuner, lambda _: agent, wave, test=test, snapshots=snapshots, keep=keep)


class WorkerPool:
    """Several :class:`PopulationWorker` of one study, as many of each kind as its share allows.

    Args:
        share: how many of each kind there may be; asked again whenever one has played a wave.
        names: prefix of the actors' names on the dashboard.

    Attributes:
        seconds: how long the latest wave of each kind took.
    """

    def __init__(self, environment: EnvironmentConfig, share: ClusterShare, names: str) -> None:
        self.seconds: dict[Placement, float] = {}
        self._environment, self._share, self._names = environment, share, names
        self._numbers = itertools.count()
        self._workers: dict[Any, Placement] = {}
        self._grow()

    @property
    def n_lanes(self) -> int:
        """Trials that run side by side, in all populations together."""
        return sum(kind.n_lanes for kind in self._workers.values())

    def _grow(self) -> list[Any]:
        """Make the workers that are missing; which those are."""
        present = Counter(self._workers.values())
        missing = [kind for kind, count in self._share().items() for _ in range(count - present[kind])]
        made = {self._made(kind): kind for kind in missing}
        self._workers |= made
        return list(made)

    def _made(self, kind: Placement) -> Any:
        # A wave that dies with its worker is played again: it depends on nothing but its arguments.
        return PopulationWorker.options(  # type: ignore[attr-defined]
            name=f"{self._names}:population-{next(self._numbers)}",
            max_restarts=2,
            max_task_retries=2,
            **kind.options(),
        ).remote(self._environment.at(kind.place), kind.n_lanes)

    def features(self, check: Callable[[], None] = lambda: None) -> list[str]:
        """Names of the observation's entries; waits until a population of each kind is up.

        One that can't be compiled is warned of here, as nobody reads what its own process says.
        """
        waiting = {worker.features.remote(): worker for worker in self._workers}
        missing, names, failures = set(self._workers.values()), [], []
        while missing:
            check()
            for reference in ray.wait(list(waiting), num_returns=1, timeout=1.0)[0]:
                worker = waiting.pop(reference)
                missing.discard(self._workers[worker])
                names = ray.get(reference)
                failures.append(ray.get(worker.compiler_failure.remote()))
        if failure := next(filter(None, failures), None):
            logger.warning("%s; computing eagerly, which is several times slower", failure)
        return names

    def play(
        self,
        agent_for: Callable[[slice], Agent],
        assignments: Sequence[Assignment],
        *,
        test: bool = False,
        snapshots: bool = False,
        keep: Keep = "last",
        on_done: Callable[[int], None] = lambda _: None,
        check: Callable[[], None] = lambda: None,
    ) -> list[Episode]:
        """Play every assignment, in waves over the workers; episodes come back in the assignments' order.

        Args:
            agent_for: the agent for a slice of the assignments.
            test, snapshots, keep: as in :func:`rl_envs.rollout.play`.
            on_done: told how many trials have ended so far.
            check: called about every second; what it raises ends the waiting.

        Raises:
            QsynthError: a population died, and those in its place did too.
        """
        total, begun, done = len(assignments), 0, 0
        share_of_each_lane = min(1.0, total / self.n_lanes)
        results: dict[int, list[Episode]] = {}
        waiting: dict[Any, tuple[int, Any, float]] = {}

        def submit(worker: Any) -> None:
            nonlocal begun
            if begun == total:
                return
            size = math.ceil(self._workers[worker].n_lanes * share_of_each_lane)
            wave = slice(begun, min(begun + size, total))
            reference = worker.play.remote(agent_for(wave), list(assignments[wave]), test, snapshots, keep)
            waiting[reference] = wave.start, worker, time.monotonic()
            begun = wave.stop

        for worker in self._workers:
            submit(worker)
        while waiting:
            check()
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=1.0)
            if not ready:
                continue
            reference = ready[0]
            start, worker, since = waiting.pop(reference)
            try:
                results[start] = ray.get(reference)
            except (RayActorError, OutOfMemoryError):  # Ray tells of one that it has killed itself by the latter
                raise QsynthError("a population died again and again; is memory short? does a device hang?") from None
            done += len(results[start])
            on_done(done)
            kind = self._workers[worker]
            self.seconds[kind] = time.monotonic() - since
            if Counter(self._workers.values())[kind] > self._share().get(kind, 0):
                del self._workers[worker]
                ray.kill(worker)
            else:
                submit(worker)
            if begun < total:
                for new in self._grow():
                    submit(new)
        return [episode for start in sorted(results) for episode in results[start]]

    def stop(self) -> None:
        """End the actors."""
        for worker in self._workers:
            ray.kill(worker)

"""Populations on Ray actors, for playing episodes that are not the agent's training."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray

from cluster.share import Share
from rl_envs.agents import Agent
from rl_envs.config import EnvironmentConfig
from rl_envs.rollout import Assignment, Episode


@ray.remote
class PopulationWorker:
    """One population in a process of its own."""

    def __init__(self, environment: EnvironmentConfig, n_lanes: int) -> None:
        import torch

        from rl_envs.config import make_tuner

        torch.set_num_threads(1)
        self._tuner = make_tuner(environment, n_lanes)

    def features(self) -> list[str]:
        """Names of the observation's entries."""
        return self._tuner.features

    def play(self, agent: Agent, wave: Sequence[Assignment], test: bool, snapshots: bool) -> list[Episode]:
        """Play at most ``n_lanes`` trials; the agent's values for one lane each are in the wave's order."""
        from rl_envs.rollout import play

        return play(self._tuner, lambda _: agent, wave, test=test, snapshots=snapshots)


class WorkerPool:
    """Several :class:`PopulationWorker` of one study, as many as its share allows.

    Args:
        share: what each of them occupies, and how many there may be; asked again whenever one has played a wave.
        names: prefix of the actors' names on the dashboard.
    """

    def __init__(self, environment: EnvironmentConfig, share: Share, n_lanes: int, names: str) -> None:
        self.n_lanes = n_lanes
        self._environment, self._share, self._names = environment, share, names
        self._numbers = itertools.count()
        self._workers = [self._made() for _ in range(share())]

    def _made(self) -> Any:
        # A wave that dies with its worker is played again: it depends on nothing but its arguments.
        return PopulationWorker.options(  # type: ignore[attr-defined]
            name=f"{self._names}:population-{next(self._numbers)}",
            max_restarts=2,
            max_task_retries=2,
            **self._share.placement.options(),
        ).remote(self._environment, self.n_lanes)

    def features(self, check: Callable[[], None] = lambda: None) -> list[str]:
        """Names of the observation's entries; waits until a population is up."""
        references = [worker.features.remote() for worker in self._workers]
        while not (ready := ray.wait(references, num_returns=1, timeout=1.0)[0]):
            check()
        return ray.get(ready[0])  # type: ignore[no-any-return]

    def play(
        self,
        agent_for: Callable[[slice], Agent],
        assignments: Sequence[Assignment],
        *,
        test: bool = False,
        snapshots: bool = False,
        on_done: Callable[[int], None] = lambda _: None,
        check: Callable[[], None] = lambda: None,
    ) -> list[Episode]:
        """Play every assignment, in waves over the workers; episodes come back in the assignments' order.

        Args:
            agent_for: the agent for a slice of the assignments.
            test: measure against the test rows at the end (final reports only).
            snapshots: keep the trained GANs.
            on_done: told how many trials have ended so far.
            check: called about every second; what it raises ends the waiting.
        """
        size = min(self.n_lanes, -(-len(assignments) // len(self._workers)))
        waves = [slice(start, min(start + size, len(assignments))) for start in range(0, len(assignments), size)]
        results: dict[int, list[Episode]] = {}
        waiting: dict[Any, tuple[int, Any]] = {}
        queue: Iterator[tuple[int, slice]] = iter(enumerate(waves))

        def submit(worker: Any) -> None:
            for number, wave in itertools.islice(queue, 1):
                reference = worker.play.remote(agent_for(wave), list(assignments[wave]), test, snapshots)
                waiting[reference] = number, worker

        for worker in self._workers:
            submit(worker)
        done = 0
        while waiting:
            check()
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=1.0)
            if not ready:
                continue
            reference = ready[0]
            number, worker = waiting.pop(reference)
            results[number] = ray.get(reference)
            done += len(results[number])
            on_done(done)
            if len(self._workers) > self._share():
                self._workers.remove(worker)
                ray.kill(worker)
                continue
            submit(worker)
            while len(results) + len(waiting) < len(waves) and len(self._workers) < self._share():
                self._workers.append(self._made())
                submit(self._workers[-1])
        return [episode for number in range(len(waves)) for episode in results[number]]

    def stop(self) -> None:
        """End the actors."""
        for worker in self._workers:
            ray.kill(worker)

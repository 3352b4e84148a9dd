"""Jobs on Ray actors: each population takes the next job whenever it has a lane to spare."""

import itertools
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError

from cluster.comparison.job import ComparisonJob
from cluster.comparison.job_result import JobResult
from cluster.study.placement import Placement
from qsynth.errors import QsynthError
from rl_envs.config import EnvironmentConfig

POLL_SECONDS = 0.5


@ray.remote(num_cpus=0)
class JobQueue:
    """Hands out the indices of jobs, takes records in, and knows who has which."""

    def __init__(self, n_jobs: int) -> None:
        self._waiting = deque(range(n_jobs))
        self._held: dict[int, int] = {}
        self._records: list[tuple[int, JobResult]] = []

    def enter(self, worker: int) -> None:
        """A worker begins, possibly anew after a crash: what it held goes to the front."""
        lost = [index for index, holder in self._held.items() if holder == worker]
        for index in sorted(lost, reverse=True):
            del self._held[index]
            self._waiting.appendleft(index)

    def take(self, worker: int) -> int | None:
        """The next job's index."""
        if not self._waiting:
            return None
        self._held[self._waiting[0]] = worker
        return self._waiting.popleft()

    def done(self, index: int, record: JobResult) -> None:
        """A job is over."""
        self._held.pop(index, None)
        self._records.append((index, record))

    def collect(self) -> list[tuple[int, JobResult]]:
        """Records since the last time."""
        records, self._records = self._records, []
        return records


@ray.remote
class JobWorker:
    """One population in a process of its own."""

    def __init__(self, environment: EnvironmentConfig, n_lanes: int) -> None:
        import torch

        from rl_envs.config import make_tuner
        from rl_envs.watchdog import Watchdog

        torch.set_num_threads(1)
        Watchdog.allow()
        self._data = environment.data
        self._tuner = make_tuner(environment, n_lanes)

    def play(self, worker: int, queue: Any, jobs: Sequence[ComparisonJob]) -> None:
        """Play until the queue has no more jobs."""
        from cluster.comparison.lane_scheduler import LaneScheduler

        indices: dict[str, int] = {}

        def take() -> ComparisonJob | None:
            index: int | None = ray.get(queue.take.remote(worker))
            if index is None:
                return None
            indices[jobs[index].key] = index
            return jobs[index]

        ray.get(queue.enter.remote(worker))
        LaneScheduler(
            self._tuner, self._data, take, lambda job, record: queue.done.remote(indices[job.key], record)
        ).run()
        ray.get(queue.enter.remote(worker))  # whatever was reported has arrived by now


class JobPool:
    """Populations of one study; there are none before the first jobs.

    Args:
        sizes: how many of each kind there may be; asked again whenever jobs are to be played.
        names: prefix of the actors' names on the dashboard.
    """

    def __init__(
        self, environment: EnvironmentConfig, sizes: Callable[[], Mapping[Placement, int]], names: str
    ) -> None:
        self._environment, self._sizes, self._names = environment, sizes, names
        self._numbers = itertools.count()
        self._workers: dict[Any, Placement] = {}

    def _resize(self, sizes: Mapping[Placement, int]) -> None:
        """Have more or fewer populations."""
        for kind in {*sizes, *self._workers.values()}:
            present = [worker for worker, its_kind in self._workers.items() if its_kind == kind]
            wanted = sizes.get(kind, 0)
            for worker in present[wanted:]:
                del self._workers[worker]
                ray.kill(worker)
            self._workers |= {self._made(kind): kind for _ in range(wanted - len(present))}

    def _made(self, kind: Placement) -> Any:
        # What dies with its worker is played again: it depends on nothing but its job.
        return JobWorker.options(  # type: ignore[attr-defined]
            name=f"{self._names}:comparison-{next(self._numbers)}",
            max_restarts=2,
            max_task_retries=2,
            **kind.options(),
        ).remote(self._environment.at(kind.place), kind.n_lanes)

    def play(
        self,
        jobs: Sequence[ComparisonJob],
        on_record: Callable[[int, JobResult], None],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Play all jobs.

        Args:
            on_record: told of each job that is over: its index, and what came of it.
            check: called about every second; what it raises ends the waiting.

        Raises:
            QsynthError: a population broke.
        """
        if not jobs:
            return
        self._resize(self._sizes())
        queue = JobQueue.remote(len(jobs))  # type: ignore[attr-defined]
        shared = ray.put(list(jobs))
        waiting = [worker.play.remote(number, queue, shared) for number, worker in enumerate(self._workers)]
        left = set(range(len(jobs)))
        while waiting:
            check()
            ready, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=POLL_SECONDS)
            try:
                ray.get(ready)
            except RayTaskError as error:
                if isinstance(error.cause, QsynthError):
                    raise error.cause from None
                raise
            except (RayActorError, OutOfMemoryError) as error:
                if isinstance(error, RayActorError) and error.actor_init_failed:
                    reason = re.sub(r"^qsynth\.errors\.\w+: ", "", str(error).splitlines()[-1])
                    raise QsynthError(f"a population can't be set up: {reason}") from None
                raise QsynthError("a population died again and again; is memory short? does a device hang?") from None
            for index, record in ray.get(queue.collect.remote()):
                if index in left:
                    left.discard(index)
                    on_record(index, record)
        ray.kill(queue)

    def stop(self) -> None:
        """End the actors."""
        for worker in self._workers:
            ray.kill(worker)

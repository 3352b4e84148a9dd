"""The slot of a study that was submitted to Ray by hand; those of `qsynth submit` have theirs when they begin."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from cluster.system.environment import RUN_KEY, job_metadata
from cluster.system.progress import StudyProgress

SLOT = "qsynth_driver"  # Ray's name of what a running study's driver takes one of


@contextmanager
def driver_slot(cluster: Mapping[str, float], progress: StudyProgress, check: Callable[[], None]) -> Iterator[None]:
    """Hold a slot for the time of a block, where the cluster has such and this process, a job of it, has none yet.

    Args:
        cluster: resource -> amount.
        check: called about every second while all slots are taken; what it raises ends the waiting.
    """
    about = job_metadata()
    if not about or RUN_KEY in about or not cluster.get(SLOT):
        yield
        return
    import ray

    @ray.remote(num_cpus=0, resources={SLOT: 1})
    class Slot:
        """Lives as long as its study's driver does."""

        def ready(self) -> None:
            """Answers once there is a slot."""

    slot = Slot.remote()  # type: ignore[attr-defined]
    ready, said = slot.ready.remote(), False
    while not ray.wait([ready], timeout=1.0)[0]:
        check()
        if not said:
            progress.note("waits until one of the studies that run here has ended")
            said = True
    try:
        yield
    finally:
        ray.kill(slot)

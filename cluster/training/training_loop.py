"""The iterations of an agent's training, with all that goes on beside them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster.machines.share import ClusterShare
from cluster.study.placement import describe_sizes
from cluster.system.interrupt import InterruptGuard
from cluster.system.progress import Stage, StudyProgress
from cluster.training.agent_trainer import AgentTrainer, Progress
from cluster.training.checkpoints import Checkpoint, CheckpointStore
from qsynth.errors import QsynthError

MAX_EMPTY = 3  # iterations in a row that sample nothing, before a training ends
RETURN_SECONDS = 60.0  # that lost populations have, after each of them, to come back
POLL_SECONDS = 1.0


class NoPopulationsError(QsynthError):
    """Training went on without sampling anything: populations are dead, or slower than their time limit."""


@dataclass(frozen=True, kw_only=True)
class TrainingLoop:
    """Trains until so many decisions are sampled, writes checkpoints, follows the study's share of the cluster.

    Attributes:
        total: decisions to sample.
        checkpoint_seconds: between checkpoints; one is also written at the end, and when somebody asked to stop.
        state: what each checkpoint keeps (JSON), beside what the trainer needs.
    """

    trainer: AgentTrainer
    total: int
    share: ClusterShare
    store: CheckpointStore
    checkpoint_seconds: float
    state: Callable[[], dict[str, Any]]
    stage: Stage
    progress: StudyProgress
    guard: InterruptGuard

    def run(
        self,
        last: Checkpoint | None,
        on_iteration: Callable[[Progress], None],
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train, from the ``last`` checkpoint on if there is one.

        Args:
            on_iteration: told of each; what it changes of the state is in the next checkpoint.
            enough: asked after each whether to end before ``total``.

        Raises:
            Interrupted: somebody asked to stop; there is a checkpoint.
            NoPopulationsError: several iterations in a row sampled nothing; there is a checkpoint.
        """
        trainer = self.trainer
        if last is not None:
            trainer.restore(last.path, last.state)
            self.progress.note(f"resumed at {trainer.sampled_steps:,} sampled steps")
        saved_at = time.monotonic()
        while not self._over(enough):
            iteration = trainer.train()
            done = min(iteration.sampled_steps, self.total)
            score = iteration.mean_score if math.isfinite(iteration.mean_score) else None
            self.stage.update(done, iteration=iteration.iteration, score=score)
            on_iteration(iteration)
            lost = iteration.empty >= MAX_EMPTY
            over = lost or self.guard.requested is not None or self._over(enough)
            if over or time.monotonic() - saved_at > self.checkpoint_seconds:
                self.store.save(trainer.save, trainer.counters() | self.state())
                saved_at = time.monotonic()
            self.guard.check()
            if lost:
                raise NoPopulationsError(
                    f"populations must sample; {MAX_EMPTY} iterations in a row brought nothing: all of them died (is "
                    "memory short? does a device hang?) or are slower than their time limit"
                )
            if iteration.empty:
                self._wait_for_populations()
            if (allowed := self.share()) != trainer.sizes:
                self.progress.note(f"from now on {describe_sizes(allowed)}")
                trainer.resize(allowed)

    def _wait_for_populations(self) -> None:
        """Wait until one of the lost populations is back, or the time for it is over."""
        self.progress.note("an iteration sampled nothing: populations were lost; waiting for them")
        self.trainer.restart_silent()
        deadline = time.monotonic() + RETURN_SECONDS
        while not self.trainer.is_sampling() and self.guard.requested is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _over(self, enough: Callable[[], bool]) -> bool:
        return self.trainer.sampled_steps >= self.total or enough()

"""Populations of a study under one optimiser after another."""

from collections.abc import Callable, Mapping

from cluster.comparison.pool import JobPool
from cluster.study.placement import Placement
from rl_envs.config import EnvironmentConfig


class JobPools:
    """A :class:`JobPool` for each optimiser that rivals ask for; one is up at a time, as each takes the whole share.

    Args:
        sizes, names: as those of a pool.

    Attributes:
        optimizer: of the pool that is up; empty: the study's.
    """

    def __init__(
        self, environment: EnvironmentConfig, sizes: Callable[[], Mapping[Placement, int]], names: str
    ) -> None:
        self._environment, self._sizes, self._names = environment, sizes, names
        self.optimizer, self._pool = "", JobPool(environment, sizes, names)

    def under(self, optimizer: str) -> JobPool:
        """The pool for an optimiser; empty: the study's. The one before it is no more."""
        if optimizer != self.optimizer:
            self.stop()
            trial = self._environment.trial
            changed = trial.under(optimizer) if optimizer else trial
            names = f"{self._names}-{optimizer}" if optimizer else self._names
            environment = self._environment.model_copy(update={"trial": changed})
            self.optimizer, self._pool = optimizer, JobPool(environment, self._sizes, names)
        return self._pool

    def stop(self) -> None:
        """End the actors."""
        self._pool.stop()

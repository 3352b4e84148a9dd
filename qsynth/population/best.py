"""The moment of a trial that is kept, when the best is."""

from collections.abc import Sequence

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot


class KeepBest:
    """Of each lane's trial, the moment with the best score so far; of equal ones the first.

    Attributes:
        snapshots: lane -> that moment; lanes that never had a score have none.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._scores = np.full(population.n_lanes, -np.inf)
        self.snapshots: dict[int, Snapshot] = {}

    def look(self, scores: np.ndarray, alive: np.ndarray) -> None:
        """Keep the lanes that are alive and better than ever; ``scores`` and ``alive`` are of shape lanes."""
        for lane in np.flatnonzero(alive & (scores > self._scores)):
            self.snapshots[int(lane)] = self._population.snapshot(int(lane))
            self._scores[lane] = scores[lane]

    def bring_back(self, instances: Sequence[Instance]) -> np.ndarray:
        """Put every lane back to its best moment; whether each has one, of shape lanes."""
        for lane, snapshot in self.snapshots.items():
            self._population.restore(lane, snapshot, instances[lane])
        return np.asarray(np.isfinite(self._scores))

"""Looking after a population's lanes: what ails them, and treatment."""

import functools
from collections.abc import Sequence

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.population.health import AILMENTS, RealRows, ailments
from qsynth.population.inspection import dead_share
from qsynth.population.population import Population
from qsynth.population.recovery import RECOVERIES
from qsynth.population.training_statistics import TrainingStatistics


class LaneHealth:
    """Knows what the real rows of each lane are like."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self.real = RealRows(np.ones(population.n_lanes), np.zeros(population.n_lanes))
        self._dead = functools.cache(functools.partial(dead_share, population.config, population.n_features))

    def begin(self, lanes: Sequence[int], instances: Sequence[Instance]) -> None:
        """Take in new trials."""
        fresh = RealRows.of(instances)
        self.real.spread[list(lanes)], self.real.saturation[list(lanes)] = fresh.spread, fresh.saturation

    def look(self, training: TrainingStatistics | None) -> dict[str, np.ndarray]:
        """Which lanes have which ailments (name -> lanes, bool); none where no training took place."""
        if training is None:
            return {name: np.zeros(self._population.n_lanes, dtype=bool) for name in AILMENTS}
        layers = self._population.values.get("n_layers", np.zeros(self._population.n_lanes))
        return ailments(training, self.real, np.array([self._dead(int(n)) for n in layers]))

    def treat(self, codes: np.ndarray) -> list[str]:
        """Treat lanes before they train on: 0 for nothing, or a way's place in ``RECOVERIES``, counted from 1.

        Returns:
            What each lane got; "" for nothing.
        """
        for code, how in enumerate(RECOVERIES, start=1):
            if (codes == code).any():
                self._population.recover(np.flatnonzero(codes == code).tolist(), how)
        return [("", *RECOVERIES)[int(code)] for code in codes]

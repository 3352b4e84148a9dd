"""One trial under constant hyperparameters."""

import logging

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.errors import DivergedError
from qsynth.population.best import KeepBest
from qsynth.population.health import REMEDIES, RealRows, ailments
from qsynth.population.population import Population
from qsynth.population.snapshot import Keep, Snapshot
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.population.trial import TrialConfig
from qsynth.synthesis.diary import Diary

logger = logging.getLogger("qsynth.synthesizer")


class Training:
    """Trains one trial; interrupted, it returns the best that it had by then, unless there was nothing yet.

    Args:
        evaluate_every: iterations between evaluations.
        keep: the last evaluation's generator, or that of the one with the best validation score.
        diary: is told each evaluation: iteration, losses, score, utilities, and 1 under ``ailment.NAME`` for each
            ailment (:mod:`qsynth.population.health`) that its iterations showed; the first time, what helps is logged.
    """

    def __init__(self, n_iterations: int, evaluate_every: int, keep: Keep, diary: Diary) -> None:
        self._n_iterations, self._evaluate_every, self._keep, self._diary = n_iterations, evaluate_every, keep, diary

    def run(self, config: TrialConfig, instance: Instance, seed: int) -> Snapshot:
        """Train.

        Raises:
            DivergedError: numbers grew beyond use.
        """
        population = Population(config, instance.n_features, instance.n_classes, 1)
        population.reset([0], [instance], [seed])
        real = RealRows.of([instance])
        untrained, best = population.snapshot(0), KeepBest(population)
        try:
            for start in range(0, self._n_iterations, self._evaluate_every):
                statistics = population.advance(min(self._evaluate_every, self._n_iterations - start))
                if population.diverged[0]:
                    raise DivergedError(
                        f"training diverged within {start + self._evaluate_every} iterations; lower the learning rates"
                    )
                card = population.evaluate()
                entry = {
                    "iteration": float(population.iterations[0]),
                    "loss_generator": float(statistics.loss_generator[0]),
                    "loss_critic": float(statistics.loss_critic[0]),
                    "score": float(card.score[0]),
                    **{f"utility.{name}": float(value[0]) for name, value in card.utilities.items()},
                }
                for name in self._seen(statistics, real):
                    entry[f"ailment.{name}"] = 1.0
                self._diary.tell(entry)
                best.look(card.score.numpy(), ~population.diverged)
        except KeyboardInterrupt:
            if not best.snapshots:
                raise
            self._diary.note(f"interrupted after {population.iterations[0]} iterations: the best so far is kept")
            return best.snapshots[0]
        return population.snapshot(0) if self._keep == "last" else best.snapshots.get(0, untrained)

    def _seen(self, statistics: TrainingStatistics, real: RealRows) -> list[str]:
        """Names of the ailments at this evaluation; a hint about what was not seen before is logged."""
        found = [name for name, lanes in ailments(statistics, real, np.zeros(1)).items() if lanes[0]]
        for name in found:
            if not any(f"ailment.{name}" in entry for entry in self._diary.history):
                logger.warning("%s: %s", name, REMEDIES[name])
        return found

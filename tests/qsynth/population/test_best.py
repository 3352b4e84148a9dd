"""The moment of a trial that is kept."""

import numpy as np
import torch

from qsynth.population.best import KeepBest
from tests.qsynth.population.test_population import instances, population


def test_each_lane_keeps_its_best_moment_while_it_lives() -> None:
    pop = population()
    kept = KeepBest(pop)
    scores = np.array([[0.1, 0.5, 0.9], [0.3, 0.5, np.nan], [0.2, 0.6, 0.7]])
    alive = np.array([[True, True, False], [True, True, False], [True, False, False]])
    weights = []
    for row, living in zip(scores, alive, strict=True):
        pop.advance(1)
        weights.append([pop.snapshot(lane).generator for lane in range(3)])
        kept.look(row, living)
    # Of equal moments, the first.
    assert {lane: snapshot.iteration for lane, snapshot in kept.snapshots.items()} == {0: 2, 1: 1}
    assert kept.bring_back(instances(3)).tolist() == [True, True, False]
    for lane, moment in enumerate((1, 0, 2)):
        assert torch.equal(pop.snapshot(lane).generator, weights[moment][lane])

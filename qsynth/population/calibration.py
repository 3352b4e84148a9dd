"""References of the instances that a population meets."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from qsynth import rng
from qsynth.data.dataset import Instance
from qsynth.metrics.score import Reference, Scorer, stacked

# An instance and labels to evaluate it with (rows x n_classes) -> models x rows x n_features.
BadRows = Callable[[Instance, Tensor], Tensor]
SCATTERED_SEED = 1 << 41


def scattered(instance: Instance, onehot: Tensor, n_models: int) -> Tensor:
    """Normal rows with the training columns' means and spreads, whatever the labels: models x rows x n_features."""
    train = torch.as_tensor(instance.train.x)
    shape = (n_models, len(onehot), instance.n_features)
    zero = torch.zeros((), dtype=torch.int64)
    drawn = rng.normal(zero + SCATTERED_SEED, 0, zero, math.prod(shape)).reshape(shape)
    return train.mean(dim=0) + train.std(dim=0) * drawn.to(train.dtype)


class Calibration:
    """Makes each instance's reference when it is first needed, those of many instances together.

    Args:
        scorer: what to calibrate, for any number of trials.
        labels: labels to evaluate an instance with, rows x n_classes.
        bad: rows for the lower anchor.
        at_once: how many instances to calibrate together at most, which memory may limit.
    """

    def __init__(self, scorer: Scorer, labels: Callable[[Instance], Tensor], bad: BadRows, at_once: int) -> None:
        self._scorer, self._labels, self._bad, self._at_once = scorer, labels, bad, at_once
        self._made: dict[tuple[str, str], Reference] = {}

    def reference(self, instances: Sequence[Instance], part: str) -> Reference:
        """One for all ``instances`` (leading axis) against their ``part`` ("validation" or "test")."""
        missing = list({each.key: each for each in instances if (each.key, part) not in self._made}.values())
        for start in range(0, len(missing), self._at_once):
            chunk = missing[start : start + self._at_once]
            labels = [self._labels(instance) for instance in chunk]
            rows = torch.stack([self._bad(each, of) for each, of in zip(chunk, labels, strict=True)])
            onehot = torch.stack(labels)[:, None].expand(-1, rows.shape[1], -1, -1)
            made = self._scorer.references(chunk, [getattr(each, part) for each in chunk], rows, onehot)
            self._made |= {(each.key, part): reference for each, reference in zip(chunk, made, strict=True)}
        return stacked([self._made[instance.key, part] for instance in instances])

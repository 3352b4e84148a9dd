"""Yardsticks of the instances that a population meets."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from qsynth.data.dataset import Instance
from qsynth.score import Scorer, Yardstick, stacked

AT_ONCE = 32


class Calibration:
    """Makes each instance's yardstick when it is first needed, those of many instances together.

    Args:
        scorer: what to calibrate, for any number of trials.
        labels: labels to evaluate an instance with, rows x n_classes.
        untrained: rows of untrained generators for such labels, models x rows x n_features.
    """

    def __init__(
        self, scorer: Scorer, labels: Callable[[Instance], Tensor], untrained: Callable[[Tensor], Tensor]
    ) -> None:
        self._scorer, self._labels, self._untrained = scorer, labels, untrained
        self._made: dict[tuple[str, str], Yardstick] = {}

    def yardstick(self, instances: Sequence[Instance], part: str) -> Yardstick:
        """One for all ``instances`` (leading axis) against their ``part`` ("validation" or "test")."""
        missing = list({each.key: each for each in instances if (each.key, part) not in self._made}.values())
        for start in range(0, len(missing), AT_ONCE):
            chunk = missing[start : start + AT_ONCE]
            labels = [self._labels(instance) for instance in chunk]
            rows = torch.stack([self._untrained(each) for each in labels])
            onehot = torch.stack(labels)[:, None].expand(-1, rows.shape[1], -1, -1)
            made = self._scorer.yardsticks(chunk, [getattr(each, part) for each in chunk], rows, onehot)
            self._made |= {(each.key, part): yardstick for each, yardstick in zip(chunk, made, strict=True)}
        return stacked([self._made[instance.key, part] for instance in instances])

"""Rows that are given out again."""

from dataclasses import dataclass

import numpy as np

from qsynth.yardsticks.yardstick import Floats


@dataclass(frozen=True)
class Dealt:
    """Rows (``n x d``) in random order, each as often as any other, give or take one."""

    rows: Floats

    def sample(self, n: int, random: np.random.Generator) -> Floats:
        """``n x d`` rows."""
        rounds = -(-n // len(self.rows))
        order = np.concatenate([random.permutation(len(self.rows)) for _ in range(rounds)])
        return np.asarray(self.rows[order[:n]])
